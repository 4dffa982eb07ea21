//! Settings and wiring shared by the example programs.
