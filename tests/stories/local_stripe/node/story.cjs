"use strict";
// A story in chapters, in the same words as story.py: how a subscription stands, what its latest bill says, and what was
// told since the last chapter. Whoever looks on asks the API, and holds what a webhook receiver got against it.

const assert = require("node:assert/strict");
const http = require("node:http");

const TIMES_FROM = 1_500_000_000;

/** Seconds since 1970 of `2030-04-01 12:00`. */
function moment(text) {
  return Date.parse(text.replace(" ", "T") + ":00Z") / 1000;
}

/** A moment, as far as the story is precise. */
function hour(seconds) {
  return seconds === null ? null : `${new Date(seconds * 1000).toISOString().slice(0, 13).replace("T", " ")}:00`;
}

/** A real HTTP server on loopback that keeps what it is sent. */
class Receiver {
  constructor() {
    this.received = [];
    this.server = http.createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        this.received.push({ body: Buffer.concat(parts), signature: request.headers["stripe-signature"] });
        response.end("ok");
      });
    });
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.server.address().port}/webhooks/stripe`;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

class Teller {
  constructor(stripe, settle, receiver, secret) {
    Object.assign(this, { stripe, settle, receiver, secret, events: [], chapters: [] });
  }

  /** What was told up to now is no part of the story. */
  async begin() {
    await this.#news();
  }

  /** Close a chapter: everything that happened since the one before. */
  async chapter(title, subscription) {
    const now = await this.stripe.subscriptions.retrieve(subscription);
    const invoice = await this.stripe.invoices.retrieve(now.latest_invoice);
    const news = (await this.#news()).filter((event) => !event.type.startsWith("test_helpers."));
    const closed = { title, standing: standing(now), bill: bill(invoice), told: news.map(told) };
    this.chapters.push(closed);
    console.error(`${title}: ${closed.standing.status}, ${closed.bill.total} ${closed.bill.status}`);
    return closed;
  }

  /** The events since the last time, oldest first: each arrived once, signed, and says what the API says. */
  async #news() {
    await this.settle();
    const last = this.events.at(-1);
    const page = await this.stripe.events.list({ limit: 100, ...(last && { ending_before: last.id }) });
    const fresh = page.data.reverse();
    this.events.push(...fresh);
    const arrived = new Map();
    for (const { body, signature } of this.receiver.received) {
      const event = this.stripe.webhooks.constructEvent(body, signature, this.secret);
      arrived.set(event.id, content(event));
    }
    assert.equal(this.receiver.received.length, this.events.length);
    assert.deepEqual(arrived, new Map(this.events.map((event) => [event.id, content(event)])));
    return fresh;
  }
}

/** An event without what changes when it is delivered. */
function content(event) {
  return { ...JSON.parse(JSON.stringify(event)), pending_webhooks: null };
}

function standing(subscription) {
  const [item] = subscription.items.data;
  return {
    status: subscription.status,
    costs: item.price.unit_amount,
    begins: hour(item.current_period_start),
    ends: hour(item.current_period_end),
    cancel_at: hour(subscription.cancel_at),
    ended_at: hour(subscription.ended_at),
  };
}

function bill(invoice) {
  return {
    reason: invoice.billing_reason,
    status: invoice.status,
    total: invoice.total,
    due: invoice.amount_due,
    paid: invoice.amount_paid,
    attempts: invoice.attempt_count,
    next_attempt: hour(invoice.next_payment_attempt),
    lines: invoice.lines.data.map((line) => ({
      text: line.description,
      amount: line.amount,
      begins: hour(line.period.start),
      ends: hour(line.period.end),
    })),
  };
}

function told(event) {
  const before = Object.entries(event.data.previous_attributes ?? {});
  return { type: event.type, before: Object.fromEntries(before.map(([name, value]) => [name, short(name, value)])) };
}

/** What was before, in words that are the same for everybody: an object by its kind, an item by its price. */
function short(name, value) {
  if (name === "items") {
    return value.data.map((item) => [
      item.price.unit_amount,
      hour(item.current_period_start),
      hour(item.current_period_end),
    ]);
  }
  if (name === "plan") return value.amount;
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([inner, part]) => [inner, short(inner, part)]));
  }
  if (typeof value === "number" && value >= TIMES_FROM) return hour(value);
  if (["latest_invoice", "default_payment_method"].includes(name) && value !== null) return value.split("_")[0];
  return value;
}

module.exports = { Receiver, Teller, moment };
