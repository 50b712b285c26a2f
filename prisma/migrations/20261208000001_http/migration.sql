-- Sessions whose users have logged out. Every API process refuses their cookies, which a browser or a thief may keep.
CREATE TABLE ended_session (
    id uuid NOT NULL,
    expires_at timestamptz(6) NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ended_session_by_expiry ON ended_session (expires_at);
