-- Up Migration
-- Counts a call out before it is dialled, or tells which limit stands: then it changes nothing. One statement, so that it is
-- one message to the server and one answer: somebody waits to be dialled. Whoever counts a call of a gateway holds the row
-- of its rate until that is committed, so that two connectors never count the same last place; each statement in here sees
-- what was committed before that lock was had.
-- `ceiling_*`: of each, in the order of asking, which limit it is, what it counts ('today' or 'under way'), of which key of
-- dial_counts or prefix of numbers, and the most. `stale`: a connector without a heartbeat for so long is dead (see
-- maintenance.ts), and its calls are under way no more.
CREATE FUNCTION begin_dial(
  this_instance text, this_run uuid, stale interval, dial uuid, via text, dialled text, keys text[],
  ceiling_limits text[], ceiling_counts text[], ceiling_of text[], ceiling_most bigint[],
  burst double precision, per_second double precision
) RETURNS text LANGUAGE plpgsql AS $begin_dial$
DECLARE
  tenant constant text := current_setting('app.tenant_id');
  rate dial_rates;
  held double precision;
  so_far bigint;
BEGIN
  LOOP
    SELECT * INTO rate FROM dial_rates r WHERE r.tenant_id = tenant AND r.gateway = via FOR UPDATE;
    EXIT WHEN FOUND;
    INSERT INTO dial_rates (tenant_id, gateway, tokens, filled_at) VALUES (tenant, via, burst, clock_timestamp())
      ON CONFLICT DO NOTHING;
  END LOOP;
  FOR n IN 1 .. cardinality(ceiling_limits) LOOP
    IF ceiling_counts[n] = 'today' THEN
      -- To the hour; with the one that runs there are 24.
      SELECT coalesce(sum(d.calls), 0) INTO so_far FROM dial_counts d
        WHERE d.tenant_id = tenant AND d.gateway = via AND d.counted = ceiling_of[n]
          AND d.hour > date_trunc('hour', now(), 'UTC') - interval '24 hours';
    ELSE
      SELECT count(*) INTO so_far FROM dials_under_way x
        WHERE x.tenant_id = tenant AND x.gateway = via AND starts_with(x.number, ceiling_of[n])
          AND CASE WHEN x.instance_id = this_instance THEN x.run_id = this_run
            ELSE EXISTS (SELECT 1 FROM connector_instances i WHERE i.tenant_id = tenant AND i.instance_id = x.instance_id
                           AND i.heartbeat_at > now() - stale) END;
    END IF;
    IF so_far >= ceiling_most[n] THEN
      RETURN ceiling_limits[n];
    END IF;
  END LOOP;
  held := least(burst, rate.tokens + per_second * greatest(0, extract(epoch FROM clock_timestamp() - rate.filled_at)));
  IF held < 1 THEN
    RETURN 'rate';
  END IF;
  UPDATE dial_rates r SET tokens = held - 1, filled_at = clock_timestamp() WHERE r.tenant_id = tenant AND r.gateway = via;
  INSERT INTO dials_under_way (tenant_id, dial_id, gateway, number, instance_id, run_id)
    VALUES (tenant, dial, via, dialled, this_instance, this_run);
  INSERT INTO dial_counts AS c (tenant_id, gateway, counted, hour, calls)
    SELECT tenant, via, k.counted, date_trunc('hour', now(), 'UTC'), 1 FROM unnest(keys) AS k(counted)
    ON CONFLICT (tenant_id, gateway, counted, hour) DO UPDATE SET calls = c.calls + 1;
  RETURN NULL;
END $begin_dial$;

-- Down Migration
DROP FUNCTION begin_dial;
