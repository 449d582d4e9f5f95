"""A simulation of everything: the library and the local Stripe in one process, on one clock and one seed.

People buy, pay, refund and come back; deliveries are doubled, shuffled, late, lost and bent; Stripe fails and forgets
to answer; the database fails; machines die at any commit. Whatever happens is decided by the seed, so a seed that ends
badly ends badly every time. When it is over, everything heals, and then what the app believes must be what Stripe has.
"""
