"use strict";
// One long life through Stripe's official SDK for Node, as living.py lives it in Python.
//
//   STRIPE_API_BASE=http://127.0.0.1:12111 STRIPE_SECRET_KEY=sk_test_anything node long_life.cjs test|sandbox
//
// It holds what matters against what has to be, says on stderr how it goes, and prints the whole story as JSON.

const assert = require("node:assert/strict");
const Stripe = require("stripe");
const person = require("./person.cjs");
const { Receiver, Teller, moment } = require("./story.cjs");

const base = new URL(process.env.STRIPE_API_BASE);
const key = process.env.STRIPE_SECRET_KEY;
const stripe = new Stripe(key, { host: base.hostname, port: base.port, protocol: "http", maxNetworkRetries: 0 });

const START = "2030-03-18 12:00";
const TRIAL_END = "2030-04-01 12:00";
const HALF_WAY = "2030-04-16 12:00";

/** A test clock: it stands still. */
async function ofTheTest() {
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: moment(START) });
  const go = async (to) => {
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: moment(to) });
    while ((await stripe.testHelpers.testClocks.retrieve(clock.id)).status === "advancing");
  };
  return { go, customer: { test_clock: clock.id } };
}

/** The sandbox's own: it goes on, and is pushed. */
async function ofTheSandbox() {
  const go = (to) => push({ to: moment(to) });
  await go(START);
  return { go, customer: {} };
}

async function push(span) {
  const answer = await fetch(new URL("/_local/clock/advance", base), {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(span),
  });
  assert.equal(answer.status, 200);
}

function price(amount, name) {
  return stripe.prices.create({
    currency: "usd",
    unit_amount: amount,
    recurring: { interval: "month" },
    product_data: { name },
  });
}

async function live(receiver, url, newClock) {
  const endpoint = await stripe.webhookEndpoints.create({
    url,
    enabled_events: ["*"],
    api_version: stripe.getApiField("version"),
  });
  const clock = await newClock();
  const [basic, pro] = [await price(1000, "Basic"), await price(2000, "Pro")];
  const settings = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_cancel: {
        enabled: true,
        cancellation_reason: { enabled: true, options: ["too_expensive"] },
      },
    },
  });
  const ada = await stripe.customers.create({
    email: "ada@example.com",
    name: "Ada Lovelace",
    payment_method: "pm_card_visa",
    invoice_settings: { default_payment_method: "pm_card_visa" },
    ...clock.customer,
  });
  const portal = async () => {
    const session = { customer: ada.id, configuration: settings.id, return_url: "http://127.0.0.1:9/account" };
    return (await stripe.billingPortal.sessions.create(session)).url;
  };
  const teller = new Teller(stripe, () => push({ seconds: 0 }), receiver, endpoint.secret);
  await teller.begin();

  const { id, items } = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: basic.id }],
    trial_end: moment(TRIAL_END),
  });
  const begun = await teller.chapter("A trial begins", id);
  assert.equal(begun.standing.status, "trialing");
  assert.equal(begun.bill.total, 0);

  await clock.go("2030-03-29 13:00");
  const soon = await teller.chapter("It is about to end", id);
  assert.equal(soon.told.at(-1).type, "customer.subscription.trial_will_end");

  await clock.go("2030-04-01 12:30");
  const billed = await teller.chapter("April is billed", id);
  assert.deepEqual([billed.standing.status, billed.bill.status], ["active", "draft"]);

  await clock.go("2030-04-01 14:00");
  const paid = await teller.chapter("April is paid", id);
  assert.deepEqual([paid.bill.status, paid.bill.paid], ["paid", 1000]);

  await clock.go(HALF_WAY);
  const change = {
    items: [{ id: items.data[0].id, price: pro.id }],
    proration_behavior: "always_invoice",
    proration_date: moment(HALF_WAY),
  };
  const preview = await stripe.invoices.createPreview({ subscription: id, subscription_details: change });
  await stripe.subscriptions.update(id, change);
  const upgraded = await teller.chapter("Half-way through April she wants more", id);
  assert.deepEqual(preview.lines.data.map((line) => line.amount), [-500, 1000]);
  assert.deepEqual(upgraded.bill.lines.map((line) => line.amount), [-500, 1000]);
  assert.deepEqual([upgraded.bill.status, upgraded.bill.paid], ["paid", 500]);

  const failing = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer: ada.id });
  await stripe.customers.update(ada.id, { invoice_settings: { default_payment_method: failing.id } });
  await clock.go("2030-05-01 14:00");
  const failed = await teller.chapter("May cannot be collected", id);
  assert.deepEqual([failed.standing.status, failed.bill.status], ["past_due", "open"]);

  await clock.go("2030-05-02 12:00");
  const opened = await portal();
  await person.replacesTheirCard(opened);
  const mended = await teller.chapter("She leaves another card, which changes nothing yet", id);
  assert.equal(mended.standing.status, "past_due");

  await person.paysWhatIsOpen(opened);
  const recovered = await teller.chapter("She pays what is open", id);
  assert.deepEqual([recovered.standing.status, recovered.bill.paid], ["active", 2000]);

  await clock.go("2030-05-20 12:00");
  await person.leaves(await portal());
  const leaving = await teller.chapter("She will leave at the end of May", id);
  assert.deepEqual([leaving.standing.status, leaving.standing.cancel_at], ["active", "2030-06-01 12:00"]);

  await clock.go("2030-06-01 14:00");
  const over = await teller.chapter("It is over", id);
  assert.deepEqual([over.standing.status, over.standing.ended_at], ["canceled", "2030-06-01 12:00"]);

  await assert.rejects(stripe.subscriptions.update(id, { items: [{ id: items.data[0].id, quantity: 2 }] }), {
    type: "StripeInvalidRequestError",
    code: "invalid_canceled_subscription_fields",
  });
  await clock.go("2030-07-01 14:00");
  const after = await teller.chapter("Nothing comes after", id);
  assert.deepEqual(after.told, []);
  return teller.chapters;
}

async function main() {
  const receiver = new Receiver();
  try {
    const clock = { test: ofTheTest, sandbox: ofTheSandbox }[process.argv[2]];
    console.log(JSON.stringify(await live(receiver, await receiver.listen(), clock)));
  } finally {
    receiver.close();
  }
}

main();
