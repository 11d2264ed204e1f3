//! Counters to energy and reports
