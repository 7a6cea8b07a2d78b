//! The seam between Node and `navstar-kernel`: converts and delegates, nothing else.
#![forbid(unsafe_code)]
