//! placeholder arrow: see DESIGN
