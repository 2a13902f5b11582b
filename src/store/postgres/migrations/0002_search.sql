-- Up Migration
-- Row-level security keeps Postgres from using the GIN index (@@ is not leakproof), so the search runs with its owner's
-- rights and pins the tenant itself. It returns ids of calls in which every term occurs (anywhere in the transcript),
-- newest first, one keyset page at a time.
-- The planner cannot tell a rare word from a common one when only its beginning is given (it assumes 2 %), so the
-- function finds out: it looks through the newest calls first. Common words fill the page there; for rarer ones
-- it starts again from the GIN index, with the term that was met least.

-- One term: a word (its beginning matches) or, in double quotes, a phrase. NULL when it holds no word.
CREATE FUNCTION call_search_term(term text) RETURNS tsquery LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN numnode(q) > 0 THEN q END
  FROM (SELECT CASE
      WHEN term LIKE '"%' THEN phraseto_tsquery('simple', term)
      ELSE to_tsquery('simple', '''' || replace(replace(term, '\', ' '), '''', ' ') || ''':*')
    END AS q) AS parsed
$$;

CREATE FUNCTION search_calls(
  terms text[], wanted_status text, caller_last4 text, caller_last6 text, caller_pattern text,
  started_from timestamptz, started_to timestamptz, before_start timestamptz, before_id uuid, page_size integer
) RETURNS TABLE (session_id uuid) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $search$
DECLARE
  look_through constant integer := 400;
  tenant text := nullif(current_setting('app.tenant_id', true), '');
  queries tsquery[] := ARRAY(SELECT q FROM (SELECT call_search_term(t) AS q FROM unnest(terms) AS t) AS parsed WHERE q IS NOT NULL);
  calls text := 'FROM call_sessions s WHERE s.tenant_id = $1';
  newest_first constant text := ' ORDER BY s.call_start_time DESC, s.session_id';
  heard text[] := '{}';
  found uuid[];
  looked_at integer;
  met integer[];
  rarest integer := 1;
BEGIN
  IF tenant IS NULL OR cardinality(queries) = 0 THEN
    RETURN;
  END IF;
  IF wanted_status IS NOT NULL THEN calls := calls || ' AND s.status = $2'; END IF;
  IF caller_last4 IS NOT NULL THEN calls := calls || ' AND s.caller_last4 = $3'; END IF;
  IF caller_last6 IS NOT NULL THEN calls := calls || ' AND s.caller_last6 = $4'; END IF;
  IF caller_pattern IS NOT NULL THEN calls := calls || ' AND (s.caller_phone ILIKE $5 OR s.caller_identity ILIKE $5)'; END IF;
  IF started_from IS NOT NULL THEN calls := calls || ' AND s.call_start_time >= $6'; END IF;
  IF started_to IS NOT NULL THEN calls := calls || ' AND s.call_start_time < $7'; END IF;
  IF before_start IS NOT NULL THEN
    calls := calls || ' AND s.call_start_time <= $8 AND (s.call_start_time < $8 OR s.session_id > $9)';
  END IF;
  FOR i IN 1 .. cardinality(queries) LOOP
    -- OFFSET 0: looked up call by call, not turned into a join over all utterances.
    heard := heard || format('EXISTS (SELECT 1 FROM utterances u WHERE u.tenant_id = $1 AND u.session_id = s.session_id '
                             'AND u.search @@ %L::tsquery OFFSET 0)', queries[i]::text);
  END LOOP;

  EXECUTE 'WITH newest AS MATERIALIZED (SELECT s.session_id, s.call_start_time ' || calls || newest_first
      || ' LIMIT ' || look_through || '), heard AS (SELECT s.*, ARRAY[' || array_to_string(heard, ', ') || '] AS hits FROM newest s) '
      || 'SELECT array_agg(s.session_id' || newest_first || ') FILTER (WHERE true = ALL (s.hits)), count(*)::integer, '
      || 'ARRAY(SELECT count(*) FILTER (WHERE s.hits[n])::integer FROM heard s, generate_series(1, ' || cardinality(queries)
      || ') AS n GROUP BY n ORDER BY n) FROM heard s'
    INTO found, looked_at, met
    USING tenant, wanted_status, caller_last4, caller_last6, caller_pattern, started_from, started_to, before_start, before_id;
  IF looked_at < look_through OR cardinality(found) >= page_size THEN
    RETURN QUERY SELECT unnest(found[1:page_size]);
    RETURN;
  END IF;

  FOR i IN 2 .. cardinality(queries) LOOP
    IF met[i] < met[rarest] THEN rarest := i; END IF;
  END LOOP;
  RETURN QUERY EXECUTE 'WITH candidates AS MATERIALIZED (SELECT DISTINCT u.session_id FROM utterances u '
      || format('WHERE u.tenant_id = $1 AND u.search @@ %L::tsquery) SELECT s.session_id ', queries[rarest]::text)
      || replace(calls, 'FROM call_sessions s', 'FROM candidates JOIN call_sessions s USING (session_id)')
      || ' AND ' || array_to_string(heard, ' AND ') || newest_first || ' LIMIT $10'
    USING tenant, wanted_status, caller_last4, caller_last6, caller_pattern, started_from, started_to, before_start,
      before_id, page_size;
END $search$;

REVOKE ALL ON FUNCTION search_calls FROM PUBLIC;

-- Down Migration
DROP FUNCTION search_calls;
DROP FUNCTION call_search_term;
