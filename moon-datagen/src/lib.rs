//! A seeded, realistic sales force and its history, of any size, streamed.
