//! (The architect is writing this file right now, 00:57; leave it.)
