"""A customer base whose truth is known: who they are, what drives them, what every contact does to them.

    from experiments.simulator.preset_file import preset
    from experiments.simulator.world import World

    world = World(preset("fuel"), seed=0, persons=range(1000))
    events = world.step()

What a world is made of:
preset_file       a configuration from a file, or one of those that come with the platform
config            the whole of it, checked
customer_config   who the customers are, how they come and leave
offer_config      what is sold, where, at what price
treatment_config  what can be done to customers, and how they take it
policy_config     whom actions are meant for, and what chance decides
service_config    what goes wrong, and what customers say about it
outlet_config     what of a world is written down, and how well
limits            checks of a configuration's values

What its days are told in:
draws             random numbers by address: the same whatever else is drawn
rows              rows by columns
codes             what codes in events mean
events            what happens on a day, what a policy does and sees, what is true

How it lives:
world             the closed loop: step, observe, truth
population        who the customers are
calendar          weekdays, seasons, festivals, weather, hours
prices            the assortment, its prices, promotions
contracts         terms that bind, end and are renewed
life_cycle        stages, and the hazards of moving and leaving
visits            who comes today
purchases         baskets and bills
ledger            what the business knows of each customer in the morning
consent           which channels customers allow
sensitivities     how each customer takes each action on each channel
treatment         what contacts do
carry_over        what stays of them, and tiredness
answers           redemptions, refusals, clicks
service           complaints, ratings, surveys, referrals
policies          whom to contact today

How it is written:
simulate          the job: blocks of customers over processes
simulate_app      the command `nextbest simulate`
lived             the days of a block put together
identities        references in pools that know nothing of each other
identifiers       phones, cards, plates as tills and hands write them
disclosures       which of them the pools are told, and when
registers         what the registers of a business say of a block
catalogue         products, stores, staff
campaigns         contacts of an action over four weeks
records           what happened to a block, in canonical tables
cells             columns of tables from arrays
dirt              late and damaged rows
writing           parts of tables, sorted into files
source_files      the files of a written world
truth_tables      the truth, in a folder apart

How real it is:
reality           a world's purchases beside real ones
reality_baskets   both in one form
reality_figures   the figures that are compared
reality_picture   the comparison as a picture
"""
