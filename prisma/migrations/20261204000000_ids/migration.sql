-- The id of what is listed by age: UUIDv7 (RFC 9562) of the database's clock, which all processes share. The time is
-- exact to the quarter of a microsecond (6.2, method 3), so that ids rise as now() does.
-- `place` orders ids of one moment, from 0 to 16383. Without it that part is random, too.
CREATE FUNCTION uuid_v7(moment timestamptz, place integer DEFAULT NULL) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$
    SELECT (lpad(to_hex(microseconds / 1000), 12, '0')
            || '7' || lpad(to_hex(microseconds % 1000 * 4096 / 1000), 3, '0')
            || CASE WHEN place IS NULL THEN substr(random, 20, 4) ELSE to_hex(32768 + place) END
            || substr(random, 25))::uuid
      FROM (SELECT (extract(epoch FROM moment) * 1000000)::bigint AS microseconds,
                   gen_random_uuid()::text AS random) parts
    $$;
