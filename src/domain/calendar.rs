//! Hong Kong days: working days and holidays.
