-- Up to where the jobs of a schedule have been made: the next one goes on from there, however many ticks were missed.
ALTER TABLE schedule ADD COLUMN last_at timestamptz(6);
