//! DingTalk's events: bytes → [`crate::domain::event::Event`], and what each act moves.
