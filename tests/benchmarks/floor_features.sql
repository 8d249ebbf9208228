-- The features of the sample in SQL written by hand for it: the floor that the compiled features are measured
-- against. It reads the canonical tables and `as_ofs`, in one statement, with what an expert knows of these
-- data and the compiler may not assume: no line comes late, nobody is two references, nobody shares a
-- household, and there are no channels and no service events.
--
-- Tuned by hand: goods are told once a product, not once a line; customers are grouped as whole numbers; gaps
-- are taken once, not at every as-of; sums of the last 91 days read only their rows.
-- Numbers are whole until the end and divided in the order of the catalogue, so that the values are equal.
WITH customers AS MATERIALIZED (
  SELECT customer_id, CAST(row_number() OVER (ORDER BY customer_id) AS INTEGER) AS customer
  FROM (SELECT DISTINCT customer_id FROM transactions)
), goods AS MATERIALIZED (
  SELECT product_id,
         brand = 'PRIVATE' AS private,
         department = 'FUEL' AS fuel,
         department IN ('GROCERY', 'FROZEN GROCERY') AS grocery,
         department = 'PRODUCE' AS produce,
         department IN ('MEAT', 'MEAT-PCKGD', 'SEAFOOD', 'SEAFOOD-PCKGD') AS meat,
         department IN ('DELI', 'PASTRY', 'SALAD BAR', 'CHEF SHOPPE', 'RESTAURANT') AS deli,
         department IN ('DRUG GM', 'COSMETICS', 'NUTRITION') AS home_care,
         category IN ('SOFT DRINKS', 'WATER - CARBONATED/FLVRD DRINK', 'WATER', 'CANNED JUICES',
                      'REFRGRATD JUICES/DRNKS', 'ISOTONIC DRINKS', 'COFFEE', 'DRINKS') AS drinks,
         category IN ('BAG SNACKS', 'CANDY - CHECKLANE', 'CANDY - PACKAGED', 'COOKIES/CONES', 'BAKED SWEET GOODS',
                      'WAREHOUSE SNACKS', 'SNACKS') AS snacks,
         category IN ('FLUID MILK PRODUCTS', 'CHEESE', 'YOGURT', 'EGGS', 'MILK BY-PRODUCTS', 'DAIRY') AS dairy,
         department = 'SPIRITS'
           OR category IN ('BEERS/ALES', 'DOMESTIC WINE', 'IMPORTED WINE', 'LIQUOR') AS alcohol,
         department IN ('AUTOMOTIVE', 'CAR CARE') OR category = 'AUTOMOTIVE PRODUCTS' AS car
  FROM (SELECT product_id, upper(trim(department)) AS department, upper(trim(category)) AS category,
               upper(trim(brand)) AS brand FROM products)
), lines AS MATERIALIZED (
  SELECT customer, day, basket_id, product_id, store_id, amount_cents,
         COALESCE(discount_cents, 0) AS discount_cents,
         COALESCE(quantity, 1) AS quantity,
         hour(timezone('America/New_York', timezone('UTC', occurred_at))) AS hour,
         goods.* EXCLUDE (product_id)
  FROM transactions
  JOIN customers USING (customer_id)
  LEFT JOIN goods USING (product_id)
  WHERE day < (SELECT MAX(as_of) FROM as_ofs)
),

-- Days: one row per customer and day with a visit.
baskets AS (
  SELECT customer, day, COUNT(*) AS baskets
  FROM (SELECT DISTINCT customer, day, basket_id FROM lines) GROUP BY ALL
), sums AS (
  SELECT customer, day,
         COUNT(*) AS lines,
         SUM(amount_cents) AS cents,
         SUM(discount_cents) AS discount,
         SUM(CASE WHEN discount_cents > 0 THEN 1 ELSE 0 END) AS discounted,
         SUM(CASE WHEN discount_cents > 0 AND discount_cents * 10 >= (amount_cents + discount_cents) * 3
             THEN 1 ELSE 0 END) AS deep,
         SUM(CASE WHEN amount_cents < 0 OR quantity < 0 THEN 1 ELSE 0 END) AS returned,
         SUM(CASE WHEN amount_cents < 0 THEN amount_cents ELSE 0 END) AS returned_cents,
         SUM(CAST(FLOOR(quantity * 1e3 + 0.5) AS BIGINT)) AS units,
         SUM(CASE WHEN hour BETWEEN 5 AND 10 THEN 1 ELSE 0 END) AS morning,
         SUM(CASE WHEN hour BETWEEN 11 AND 13 THEN 1 ELSE 0 END) AS midday,
         SUM(CASE WHEN hour BETWEEN 18 AND 22 THEN 1 ELSE 0 END) AS evening,
         SUM(CASE WHEN hour >= 23 OR hour < 5 THEN 1 ELSE 0 END) AS night,
         SUM(CASE WHEN private THEN 1 ELSE 0 END) AS private_lines,
         SUM(CASE WHEN private THEN amount_cents ELSE 0 END) AS private_cents,
         SUM(CASE WHEN fuel THEN 1 ELSE 0 END) AS fuel_lines,
         SUM(CASE WHEN fuel THEN amount_cents ELSE 0 END) AS fuel_cents,
         SUM(CASE WHEN fuel THEN CAST(FLOOR(quantity * 1e3 + 0.5) AS BIGINT) ELSE 0 END) AS fuel_units,
         SUM(CASE WHEN grocery THEN amount_cents ELSE 0 END) AS grocery_cents,
         SUM(CASE WHEN produce THEN 1 ELSE 0 END) AS produce_lines,
         SUM(CASE WHEN produce THEN amount_cents ELSE 0 END) AS produce_cents,
         SUM(CASE WHEN meat THEN 1 ELSE 0 END) AS meat_lines,
         SUM(CASE WHEN meat THEN amount_cents ELSE 0 END) AS meat_cents,
         SUM(CASE WHEN deli THEN 1 ELSE 0 END) AS deli_lines,
         SUM(CASE WHEN deli THEN amount_cents ELSE 0 END) AS deli_cents,
         SUM(CASE WHEN home_care THEN amount_cents ELSE 0 END) AS home_care_cents,
         SUM(CASE WHEN drinks THEN 1 ELSE 0 END) AS drinks_lines,
         SUM(CASE WHEN drinks THEN amount_cents ELSE 0 END) AS drinks_cents,
         SUM(CASE WHEN snacks THEN 1 ELSE 0 END) AS snacks_lines,
         SUM(CASE WHEN snacks THEN amount_cents ELSE 0 END) AS snacks_cents,
         SUM(CASE WHEN dairy THEN amount_cents ELSE 0 END) AS dairy_cents,
         SUM(CASE WHEN alcohol THEN amount_cents ELSE 0 END) AS alcohol_cents,
         SUM(CASE WHEN car THEN 1 ELSE 0 END) AS car_lines,
         SUM(CASE WHEN car THEN amount_cents ELSE 0 END) AS car_cents
  FROM lines GROUP BY customer, day
), days AS MATERIALIZED (
  SELECT sums.*, baskets,
         LAG(day) OVER by_day AS previous,
         LEAD(day) OVER by_day AS following,
         ROW_NUMBER() OVER by_day AS number
  FROM sums JOIN baskets USING (customer, day)
  WINDOW by_day AS (PARTITION BY customer ORDER BY day)
), latest AS MATERIALIZED (
  SELECT as_of, customer, day AS last_day, number AS visits_all, cents AS spend_last_visit,
         day - previous AS last_gap, as_of - day AS days_since_visit
  FROM days JOIN as_ofs ON day < as_of AND (following IS NULL OR following >= as_of)
), visits AS MATERIALIZED (
  SELECT latest.as_of, latest.visits_all - number + 1 AS rank, days_since_visit AS silence,
         latest.as_of - day AS age, day - previous AS gap, (day - previous) * (day - previous) AS gap_squared,
         CASE WHEN (latest.as_of - previous - 1) // 7 <= (latest.as_of - day - 1) // 7 THEN 0 ELSE 1 END AS opens_week,
         days.* EXCLUDE (previous, following, number)
  FROM days JOIN latest ON latest.customer = days.customer AND days.day <= latest.last_day
), ever AS (
  SELECT as_of, customer,
         MIN(CASE WHEN rank = 2 THEN age END) AS days_since_second_visit,
         MIN(CASE WHEN rank = 3 THEN age END) AS days_since_third_visit,
         MAX(age) AS tenure_days,
         MIN(CASE WHEN discounted > 0 THEN age END) AS days_since_discount,
         MIN(CASE WHEN returned > 0 THEN age END) AS days_since_return,
         MIN(CASE WHEN deep > 0 THEN age END) AS days_since_deep_discount,
         MIN(CASE WHEN discounted = 0 THEN age END) AS days_since_full_price,
         MIN(CASE WHEN fuel_lines > 0 THEN age END) AS days_since_fuel,
         MIN(CASE WHEN lines > fuel_lines THEN age END) AS days_since_shop,
         MIN(CASE WHEN produce_lines > 0 THEN age END) AS days_since_produce,
         MIN(CASE WHEN car_lines > 0 THEN age END) AS days_since_car,
         SUM(CASE WHEN age <= 182 THEN 1 ELSE 0 END) AS visits_182,
         SUM(CASE WHEN age <= 182 THEN opens_week ELSE 0 END) AS active_weeks_26,
         SUM(CASE WHEN age <= 182 THEN cents ELSE 0 END) AS spend_182,
         SUM(CASE WHEN age <= 182 AND gap >= 14 THEN 1 ELSE 0 END) AS long_gaps_182,
         SUM(cents) AS spend_all,
         SUM(gap_squared) AS gap_squares_all,
         MAX(gap) AS max_gap_all,
         SUM(CASE WHEN gap > silence THEN 1 ELSE 0 END) AS longer_gaps_all,
         SUM(CASE WHEN gap >= silence + 28 THEN 1 ELSE 0 END) AS longer_gaps_28_all,
         SUM(CASE WHEN (day + 3) % 7 >= 5 THEN 1 ELSE 0 END) AS weekend_visits_all,
         SUM(CASE WHEN fuel_lines > 0 THEN 1 ELSE 0 END) AS fuel_visits_all
  FROM visits GROUP BY as_of, customer
), recent AS (
  SELECT as_of, customer,
         SUM(CASE WHEN age <= 7 THEN 1 ELSE 0 END) AS visits_7,
         SUM(CASE WHEN age <= 14 THEN 1 ELSE 0 END) AS visits_14,
         SUM(CASE WHEN age <= 28 THEN 1 ELSE 0 END) AS visits_28,
         SUM(CASE WHEN age <= 56 THEN 1 ELSE 0 END) AS visits_56,
         COUNT(*) AS visits_91,
         SUM(CASE WHEN age <= 28 THEN baskets ELSE 0 END) AS baskets_28,
         SUM(baskets) AS baskets_91,
         SUM(CASE WHEN age <= 28 THEN lines ELSE 0 END) AS lines_28,
         SUM(lines) AS lines_91,
         SUM(CASE WHEN age <= 28 THEN opens_week ELSE 0 END) AS active_weeks_4,
         SUM(opens_week) AS active_weeks_13,
         SUM(CASE WHEN age <= 28 THEN cents ELSE 0 END) AS spend_28,
         SUM(CASE WHEN age <= 56 THEN cents ELSE 0 END) AS spend_56,
         SUM(cents) AS spend_91,
         MAX(cents) AS spend_max_visit_91,
         MIN(cents) AS spend_min_visit_91,
         SUM(units) AS units_91,
         SUM(returned_cents) AS returned_91,
         SUM(CASE WHEN returned > 0 THEN 1 ELSE 0 END) AS return_visits_91,
         SUM(CASE WHEN age <= 28 THEN discount ELSE 0 END) AS discount_28,
         SUM(discount) AS discount_91,
         SUM(discounted) AS discounted_lines_91,
         SUM(deep) AS deep_discount_lines_91,
         SUM(CASE WHEN discounted = 0 THEN 1 ELSE 0 END) AS full_price_visits_91,
         SUM(CASE WHEN discounted > 0 THEN 1 ELSE 0 END) AS discounted_visits_91,
         COUNT(gap) AS gaps_91,
         SUM(gap) AS gap_days_91,
         SUM(gap_squared) AS gap_squares_91,
         MAX(gap) AS max_gap_91,
         MIN(gap) AS min_gap_91,
         SUM(CASE WHEN (day + 3) % 7 >= 5 THEN 1 ELSE 0 END) AS weekend_visits_91,
         SUM(CASE WHEN (day + 3) % 7 = 4 THEN 1 ELSE 0 END) AS friday_visits_91,
         SUM(morning) AS morning_lines_91,
         SUM(midday) AS midday_lines_91,
         SUM(evening) AS evening_lines_91,
         SUM(night) AS night_lines_91,
         SUM(CASE WHEN night > 0 THEN 1 ELSE 0 END) AS night_visits_91,
         SUM(CASE WHEN age <= 28 AND fuel_lines > 0 THEN 1 ELSE 0 END) AS fuel_visits_28,
         SUM(CASE WHEN fuel_lines > 0 THEN 1 ELSE 0 END) AS fuel_visits_91,
         SUM(CASE WHEN fuel_lines > 0 AND fuel_lines = lines THEN 1 ELSE 0 END) AS fuel_only_visits_91,
         SUM(CASE WHEN fuel_lines > 0 AND lines > fuel_lines THEN 1 ELSE 0 END) AS fuel_and_shop_visits_91,
         SUM(fuel_cents) AS fuel_spend_91,
         SUM(fuel_units) AS fuel_units_91,
         SUM(private_lines) AS private_lines_91,
         SUM(private_cents) AS private_spend_91,
         SUM(grocery_cents) AS grocery_91,
         SUM(produce_cents) AS produce_91,
         SUM(meat_cents) AS meat_91,
         SUM(deli_cents) AS deli_91,
         SUM(home_care_cents) AS home_care_91,
         SUM(drinks_cents) AS drinks_91,
         SUM(snacks_cents) AS snacks_91,
         SUM(dairy_cents) AS dairy_91,
         SUM(alcohol_cents) AS alcohol_91,
         SUM(car_cents) AS car_91,
         SUM(CASE WHEN produce_lines > 0 THEN 1 ELSE 0 END) AS produce_visits_91,
         SUM(CASE WHEN lines > fuel_lines THEN 1 ELSE 0 END) AS shop_visits_91,
         SUM(CASE WHEN drinks_lines > 0 THEN 1 ELSE 0 END) AS drinks_visits_91,
         SUM(CASE WHEN snacks_lines > 0 THEN 1 ELSE 0 END) AS snacks_visits_91,
         SUM(CASE WHEN meat_lines > 0 THEN 1 ELSE 0 END) AS meat_visits_91,
         SUM(CASE WHEN deli_lines > 0 THEN 1 ELSE 0 END) AS deli_visits_91
  FROM visits WHERE age <= 91 GROUP BY as_of, customer
),

-- Keys: one row per customer and product or store.
bought AS (
  SELECT DISTINCT customer, product_id, day, basket_id FROM lines WHERE product_id IS NOT NULL AND quantity > 0
), product_keys AS (
  SELECT as_of, customer, MIN(day) AS first_day, MAX(day) AS last_day, COUNT(*) AS baskets,
         SUM(CASE WHEN as_of - day <= 28 THEN 1 ELSE 0 END) AS baskets_28,
         SUM(CASE WHEN as_of - day <= 91 THEN 1 ELSE 0 END) AS baskets_91
  FROM bought JOIN as_ofs ON day < as_of GROUP BY as_of, customer, product_id
), product_counts AS (
  SELECT as_of, customer,
         SUM(CASE WHEN baskets_28 > 0 THEN 1 ELSE 0 END) AS products_28,
         SUM(CASE WHEN baskets_91 > 0 THEN 1 ELSE 0 END) AS products_91,
         COUNT(*) AS products_all,
         SUM(CASE WHEN as_of - first_day <= 28 THEN 1 ELSE 0 END) AS new_products_28,
         SUM(CASE WHEN as_of - first_day <= 91 THEN 1 ELSE 0 END) AS new_products_91,
         SUM(CASE WHEN baskets_91 > 1 THEN 1 ELSE 0 END) AS repeat_products_91,
         SUM(CASE WHEN baskets >= 3 AND as_of - last_day > 91 THEN 1 ELSE 0 END) AS abandoned_products,
         MAX(baskets_91) AS favourite_baskets_91
  FROM product_keys GROUP BY as_of, customer
), store_keys AS (
  SELECT as_of, customer, MIN(day) AS first_day,
         SUM(CASE WHEN as_of - day <= 28 THEN 1 ELSE 0 END) AS baskets_28,
         SUM(CASE WHEN as_of - day <= 91 THEN 1 ELSE 0 END) AS baskets_91
  FROM (SELECT DISTINCT customer, store_id, day, basket_id FROM lines WHERE store_id IS NOT NULL)
  JOIN as_ofs ON day < as_of GROUP BY as_of, customer, store_id
), store_counts AS (
  SELECT as_of, customer,
         SUM(CASE WHEN baskets_28 > 0 THEN 1 ELSE 0 END) AS stores_28,
         SUM(CASE WHEN baskets_91 > 0 THEN 1 ELSE 0 END) AS stores_91,
         COUNT(*) AS stores_all,
         MIN(as_of - first_day) AS days_since_new_store,
         MAX(baskets_91) AS main_store_baskets_91,
         SUM(baskets_91) AS store_baskets_91
  FROM store_keys GROUP BY as_of, customer
),

-- Touches: contacts and answers.
contacted AS (
  SELECT as_of, customer_id,
         SUM(CASE WHEN as_of - day <= 28 THEN 1 ELSE 0 END) AS contacts_28,
         SUM(CASE WHEN as_of - day <= 91 THEN 1 ELSE 0 END) AS contacts_91,
         COUNT(*) AS contacts_all,
         MIN(as_of - day) AS days_since_contact,
         SUM(CASE WHEN as_of - day <= 91 THEN COALESCE(cost_cents, 0) ELSE 0 END) AS contact_cost_91
  FROM exposures JOIN as_ofs ON day < as_of GROUP BY as_of, customer_id
), answered AS (
  SELECT as_of, customer_id,
         SUM(CASE WHEN as_of - day <= 91 THEN 1 ELSE 0 END) AS responses_91,
         SUM(CASE WHEN kind = 'REDEMPTION' AND as_of - day <= 91 THEN 1 ELSE 0 END) AS redemptions_91,
         SUM(CASE WHEN kind = 'REDEMPTION' THEN 1 ELSE 0 END) AS redemptions_all,
         MIN(CASE WHEN kind = 'REDEMPTION' THEN as_of - day END) AS days_since_redemption,
         SUM(CASE WHEN kind = 'CLICK' AND as_of - day <= 91 THEN 1 ELSE 0 END) AS clicks_91,
         SUM(CASE WHEN kind = 'REFUSAL' AND as_of - day <= 91 THEN 1 ELSE 0 END) AS refusals_91,
         MIN(CASE WHEN kind = 'REFUSAL' THEN as_of - day END) AS days_since_refusal
  FROM (SELECT customer_id, day, upper(trim(kind)) AS kind FROM responses) JOIN as_ofs ON day < as_of
  GROUP BY as_of, customer_id
),

-- Side by side. A count without rows is 0.
together AS (
  SELECT as_of, customer, customer_id, last_gap, spend_last_visit, days_since_visit, visits_all,
         ever.* EXCLUDE (as_of, customer),
         COALESCE(COLUMNS(recent.* EXCLUDE
           (as_of, customer, spend_max_visit_91, spend_min_visit_91, max_gap_91, min_gap_91)), 0),
         spend_max_visit_91, spend_min_visit_91, max_gap_91, min_gap_91,
         COALESCE(COLUMNS(product_counts.* EXCLUDE (as_of, customer, favourite_baskets_91)), 0),
         favourite_baskets_91,
         COALESCE(COLUMNS(store_counts.* EXCLUDE
           (as_of, customer, days_since_new_store, main_store_baskets_91)), 0),
         days_since_new_store, main_store_baskets_91,
         COALESCE(COLUMNS(contacted.* EXCLUDE (as_of, customer_id, days_since_contact)), 0),
         days_since_contact,
         COALESCE(COLUMNS(answered.* EXCLUDE
           (as_of, customer_id, days_since_redemption, days_since_refusal)), 0),
         days_since_redemption, days_since_refusal,
         visits_all - 1 AS gaps_all,
         (tenure_days - days_since_visit) / gaps_all AS mean_gap_all,
         discount_28 / (spend_28 + discount_28) AS discount_share_28,
         discount_91 / (spend_91 + discount_91) AS discount_share_91,
         CASE WHEN gaps_all > 1 THEN
           sqrt(greatest((gap_squares_all - gaps_all * mean_gap_all * mean_gap_all) / (gaps_all - 1), 0)) END AS sd_gap_all
  FROM latest
  JOIN customers USING (customer)
  JOIN ever USING (as_of, customer)
  LEFT JOIN recent USING (as_of, customer)
  LEFT JOIN product_counts USING (as_of, customer)
  LEFT JOIN store_counts USING (as_of, customer)
  LEFT JOIN contacted USING (as_of, customer_id)
  LEFT JOIN answered USING (as_of, customer_id)
)
SELECT as_of, customer_id, days_since_visit, days_since_second_visit, days_since_third_visit, tenure_days,
       days_since_discount, days_since_return, days_since_deep_discount, days_since_full_price,
       visits_7, visits_14, visits_28, visits_56, visits_91, visits_182, visits_all,
       baskets_28, baskets_91, lines_28, lines_91, active_weeks_13, active_weeks_26,
       visits_28 / nullif(visits_56 - visits_28, 0) AS visit_trend_28,
       visits_28 / visits_91 AS visit_share_28_of_91,
       visits_all * 7 / tenure_days AS visits_per_week_all,
       lines_91 / visits_91 AS lines_per_visit_91,
       active_weeks_4,
       visits_91 / nullif(visits_182 - visits_91, 0) AS visit_trend_91,
       visits_91 * 7 / least(tenure_days, 91) AS visits_per_week_91,
       baskets_91 / visits_91 AS baskets_per_visit_91,
       spend_28, spend_56, spend_91, spend_182, spend_all,
       spend_91 / visits_91 AS spend_per_visit_91,
       spend_all / visits_all AS spend_per_visit_all,
       spend_last_visit, spend_max_visit_91,
       spend_28 / nullif(spend_56 - spend_28, 0) AS spend_trend_28,
       spend_28 / spend_91 AS spend_share_28_of_91,
       units_91 / 1000 AS units_91,
       spend_min_visit_91,
       spend_91 / nullif(spend_182 - spend_91, 0) AS spend_trend_91,
       spend_91 / baskets_91 AS spend_per_basket_91,
       spend_91 / lines_91 AS spend_per_line_91,
       spend_all * 7 / tenure_days AS spend_per_week_all,
       spend_max_visit_91 / spend_91 AS largest_visit_share_91,
       0 - returned_91 AS returned_91,
       return_visits_91, discount_28, discount_91, discount_share_91,
       discounted_lines_91,
       discounted_lines_91 / lines_91 AS discounted_lines_share_91,
       full_price_visits_91, deep_discount_lines_91,
       deep_discount_lines_91 / lines_91 AS deep_discount_share_91,
       discounted_visits_91,
       full_price_visits_91 / visits_91 AS full_price_visit_share_91,
       discount_91 / visits_91 AS discount_per_visit_91,
       discount_share_28,
       discount_share_28 - discount_share_91 AS discount_trend_28,
       spend_91 / (units_91 / 1000) AS price_per_unit_91,
       gap_days_91 / gaps_91 AS mean_gap_91,
       mean_gap_all, sd_gap_all,
       sd_gap_all / mean_gap_all AS gap_variation_all,
       days_since_visit / mean_gap_all AS overdue_ratio,
       (days_since_visit - mean_gap_all) / nullif(sd_gap_all, 0) AS overdue_deviations,
       last_gap, max_gap_all, max_gap_91, longer_gaps_all,
       (longer_gaps_28_all + 1) / (longer_gaps_all + 2) AS own_silence_28,
       CASE WHEN gaps_91 > 1 THEN sqrt(greatest((gap_squares_91 - gaps_91 * (gap_days_91 / gaps_91)
         * (gap_days_91 / gaps_91)) / (gaps_91 - 1), 0)) END AS sd_gap_91,
       min_gap_91,
       gap_days_91 / gaps_91 / mean_gap_all AS gap_trend_91,
       last_gap / mean_gap_all AS last_gap_ratio,
       long_gaps_182,
       weekend_visits_91 / visits_91 AS weekend_share_91,
       weekend_visits_all / visits_all AS weekend_share_all,
       friday_visits_91,
       morning_lines_91 / lines_91 AS morning_share_91,
       midday_lines_91 / lines_91 AS midday_share_91,
       evening_lines_91 / lines_91 AS evening_share_91,
       night_lines_91 / lines_91 AS night_share_91,
       night_visits_91, fuel_visits_28, fuel_visits_91, fuel_spend_91, days_since_fuel, fuel_only_visits_91,
       fuel_spend_91 / spend_91 AS fuel_share_91,
       fuel_visits_91 / visits_91 AS fuel_visit_share_91,
       fuel_units_91 / 1000 / fuel_visits_91 AS fuel_units_per_visit_91,
       fuel_spend_91 / fuel_visits_91 AS fuel_spend_per_visit_91,
       fuel_visits_all,
       fuel_visits_28 * 91 / (fuel_visits_91 * 28) AS fuel_trend_28,
       fuel_and_shop_visits_91,
       fuel_and_shop_visits_91 / fuel_visits_91 AS fuel_conversion_91,
       spend_91 - fuel_spend_91 AS shop_spend_91,
       private_lines_91 / lines_91 AS private_label_share_91,
       grocery_91 / spend_91 AS grocery_share_91,
       produce_91 / spend_91 AS produce_share_91,
       meat_91 / spend_91 AS meat_share_91,
       deli_91 / spend_91 AS deli_share_91,
       home_care_91 / spend_91 AS home_care_share_91,
       produce_visits_91, shop_visits_91, days_since_shop,
       drinks_91 / spend_91 AS drinks_share_91,
       snacks_91 / spend_91 AS snacks_share_91,
       dairy_91 / spend_91 AS dairy_share_91,
       alcohol_91 / spend_91 AS alcohol_share_91,
       car_91 / spend_91 AS car_share_91,
       drinks_visits_91, snacks_visits_91, meat_visits_91, deli_visits_91, days_since_produce, days_since_car,
       private_spend_91 AS private_label_spend_91,
       products_28, products_91, products_all, new_products_28, new_products_91, repeat_products_91,
       abandoned_products, favourite_baskets_91,
       new_products_28 / products_28 AS new_product_share_28,
       repeat_products_91 / products_91 AS repeat_product_share_91,
       products_91 / baskets_91 AS products_per_basket_91,
       favourite_baskets_91 / baskets_91 AS favourite_share_91,
       stores_28, stores_91, stores_all, days_since_new_store, main_store_baskets_91,
       main_store_baskets_91 / store_baskets_91 AS main_store_share_91,
       NULL AS forecourt_visits_91, NULL AS online_visits_91, NULL AS days_since_online, NULL AS online_share_91,
       contacts_28, contacts_91, contacts_all, days_since_contact, contact_cost_91,
       redemptions_91, redemptions_all, days_since_redemption,
       redemptions_all / contacts_all AS redemptions_per_contact_all,
       responses_91, clicks_91, refusals_91, days_since_refusal,
       NULL AS complaints_91, NULL AS complaints_all, NULL AS days_since_complaint, NULL AS mean_rating_all,
       NULL AS care_visits_182, NULL AS days_since_care_visit, NULL AS surveys_all, NULL AS referrals_all,
       NULL AS household_members, NULL AS household_active_members_91, NULL AS household_visits_91,
       NULL AS household_spend_91, NULL AS days_since_household_visit, NULL AS own_share_of_household_91
FROM together
ORDER BY as_of, customer
