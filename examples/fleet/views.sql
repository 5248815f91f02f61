-- The usual questions, as views. They are the same for ClickHouse, DuckDB and PostgreSQL.
-- The tables come from `smtpscope records --ddl ENGINE`.

-- Who refuses what, and why.
CREATE OR REPLACE VIEW refusals_by_reason AS
SELECT s.server_address, e.stage, e.reason, e.temporary, count(*) AS refusals,
       count(DISTINCT e.session) AS sessions, min(e.time) AS first_seen, max(e.time) AS last_seen
FROM exchanges AS e JOIN sessions AS s ON e.run = s.run AND e.session = s.session
WHERE e.refused
GROUP BY s.server_address, e.stage, e.reason, e.temporary;

-- How long servers take, by command. The end of a message is kind 'mail-data'.
CREATE OR REPLACE VIEW slowest_replies AS
SELECT s.server_address, e.kind, e.verb, count(*) AS replies,
       avg(e.wait_ns) / 1000000 AS average_ms, max(e.wait_ns) / 1000000.0 AS longest_ms
FROM exchanges AS e JOIN sessions AS s ON e.run = s.run AND e.session = s.session
WHERE e.wait_ns IS NOT NULL AND e.by_proxy = false
GROUP BY s.server_address, e.kind, e.verb;

-- Clients that take back what they announced.
CREATE OR REPLACE VIEW resetting_clients AS
SELECT client_address, count(*) AS sessions, sum(rsets) AS resets, sum(aborted) AS transactions_aborted,
       sum(transactions) AS all_transactions
FROM sessions
WHERE rsets > 0
GROUP BY client_address;

-- The same envelope tried more than once, wherever it was seen: greylisting, retries, duplicates.
CREATE OR REPLACE VIEW retries AS
SELECT envelope, max(sender_domain) AS sender_domain, max(recipient_domain) AS recipient_domain,
       count(*) AS attempts, count(DISTINCT tap) AS taps,
       sum(CASE WHEN outcome = 'accepted' THEN 1 ELSE 0 END) AS times_accepted,
       min(time) AS first_try, max(time) AS last_try
FROM transactions
GROUP BY envelope
HAVING count(*) > 1;

-- One message at two taps: the same content and envelope. Clocks may differ, so time is no part of it.
CREATE OR REPLACE VIEW seen_twice AS
SELECT a.envelope AS envelope, a.digest AS digest, a.octets AS octets,
       a.tap AS first_tap, a.run AS first_run, a.session AS first_session, a.outcome AS first_outcome,
       b.tap AS second_tap, b.run AS second_run, b.session AS second_session, b.outcome AS second_outcome
FROM transactions AS a JOIN transactions AS b
  ON a.digest = b.digest AND a.octets = b.octets AND a.envelope = b.envelope
WHERE a.tap < b.tap;

-- Sessions of two taps that carry the same messages: one row for both.
CREATE OR REPLACE VIEW session_pairs AS
SELECT first_tap, first_run, first_session, second_tap, second_run, second_session,
       count(*) AS messages, sum(CASE WHEN first_outcome = second_outcome THEN 0 ELSE 1 END) AS differ
FROM seen_twice
GROUP BY first_tap, first_run, first_session, second_tap, second_run, second_session;

-- Mail that did not get through, by domain.
CREATE OR REPLACE VIEW undelivered AS
SELECT recipient_domain, outcome, aborted_by, reason, count(*) AS messages
FROM transactions
WHERE outcome <> 'accepted'
GROUP BY recipient_domain, outcome, aborted_by, reason;

-- What the rules found, gravest first when ordered by severity and count.
CREATE OR REPLACE VIEW standing_findings AS
SELECT rule, severity, fault, count(*) AS times, count(DISTINCT session) AS sessions
FROM findings
WHERE folded_under IS NULL
GROUP BY rule, severity, fault;

-- Load and success by hour and tap.
CREATE OR REPLACE VIEW hours AS
SELECT date_trunc('hour', time) AS begins, tap, count(*) AS sessions, sum(transactions) AS all_transactions,
       sum(accepted) AS messages_accepted, sum(refusals) AS all_refusals
FROM sessions
GROUP BY date_trunc('hour', time), tap;

-- Who kept whom waiting, by server.
CREATE OR REPLACE VIEW waiting AS
SELECT server_address, count(*) AS sessions, avg(idle_server_ns) / 1000000 AS for_server_ms,
       avg(idle_client_ns) / 1000000 AS for_client_ms, avg(idle_proxy_ns) / 1000000 AS for_proxy_ms
FROM sessions
GROUP BY server_address;

-- How far the record itself is to be trusted.
CREATE OR REPLACE VIEW record_quality AS
SELECT host, tap, count(*) AS sessions, sum(CASE WHEN holes > 0 THEN 1 ELSE 0 END) AS with_holes,
       max(rows_lost) AS rows_missing, sum(CASE WHEN unfinished THEN 1 ELSE 0 END) AS without_end
FROM sessions
GROUP BY host, tap;
