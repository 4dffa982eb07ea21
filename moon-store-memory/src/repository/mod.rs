//! The repositories, as far as they are more than an ordered map.

mod agents;
mod audit;
mod marks;
mod organisation;
mod products;
mod records;
mod sales;
