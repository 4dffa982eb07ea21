//! The names of places and products.

/// A branch to name: the place and its region.
pub(crate) type Place = (&'static str, &'static str);

/// Seats of districts, with their provinces.
pub(crate) const PLACES: [Place; 25] = [
    ("Colombo", "Western"),
    ("Kandy", "Central"),
    ("Galle", "Southern"),
    ("Jaffna", "Northern"),
    ("Kurunegala", "North Western"),
    ("Anuradhapura", "North Central"),
    ("Batticaloa", "Eastern"),
    ("Ratnapura", "Sabaragamuwa"),
    ("Badulla", "Uva"),
    ("Gampaha", "Western"),
    ("Matara", "Southern"),
    ("Kalutara", "Western"),
    ("Trincomalee", "Eastern"),
    ("Puttalam", "North Western"),
    ("Matale", "Central"),
    ("Kegalle", "Sabaragamuwa"),
    ("Nuwara Eliya", "Central"),
    ("Hambantota", "Southern"),
    ("Polonnaruwa", "North Central"),
    ("Ampara", "Eastern"),
    ("Vavuniya", "Northern"),
    ("Monaragala", "Uva"),
    ("Mannar", "Northern"),
    ("Mullaitivu", "Northern"),
    ("Kilinochchi", "Northern"),
];

/// A product: what it is called, what it costs and how often it is sold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tariff {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) line: &'static str,
    pub(crate) free_look_days: Option<u16>,
    /// The smallest and the largest premium, in whole units of the currency.
    pub(crate) premium: (u32, u32),
    /// Its share of the sales, against those of the others.
    pub(crate) weight: u32,
}

const fn tariff(
    code: &'static str,
    name: &'static str,
    line: &'static str,
    free_look_days: Option<u16>,
    premium: (u32, u32),
    weight: u32,
) -> Tariff {
    Tariff { code, name, line, free_look_days, premium, weight }
}

/// The catalogue. A small plan takes the first ones, so the lines are mixed.
pub(crate) const TARIFFS: [Tariff; 30] = [
    tariff("TERM10", "Term Life 10", "life", Some(21), (12_000, 180_000), 90),
    tariff("MOTOR-C", "Motor Comprehensive", "vehicle", None, (25_000, 240_000), 140),
    tariff("HEALTH-B", "Health Basic", "health", Some(15), (9_000, 60_000), 80),
    tariff("ENDOW15", "Endowment 15", "life", Some(21), (36_000, 480_000), 60),
    tariff("MOTOR-T", "Motor Third Party", "vehicle", None, (3_000, 15_000), 190),
    tariff("HOME-C", "Home Contents", "home", None, (6_000, 45_000), 35),
    tariff("TRAVEL-S", "Travel Single Trip", "travel", None, (1_500, 18_000), 45),
    tariff("TERM20", "Term Life 20", "life", Some(21), (15_000, 220_000), 55),
    tariff("HEALTH-P", "Health Plus", "health", Some(15), (24_000, 160_000), 45),
    tariff("MOTORBIKE", "Motorcycle", "vehicle", None, (2_500, 20_000), 120),
    tariff("CHILD", "Child Education", "life", Some(21), (24_000, 300_000), 50),
    tariff("SINGLE", "Single Premium Life", "life", Some(21), (250_000, 5_000_000), 4),
    tariff("RETIRE", "Retirement Saver", "life", Some(21), (36_000, 600_000), 30),
    tariff("THREEWHEEL", "Three-Wheeler", "vehicle", None, (4_000, 22_000), 85),
    tariff("CRITICAL", "Critical Illness", "health", Some(15), (12_000, 120_000), 28),
    tariff("HOME-B", "Home Buildings", "home", None, (8_000, 90_000), 25),
    tariff("WHOLE", "Whole Life", "life", Some(21), (18_000, 260_000), 24),
    tariff("COMMERCIAL", "Commercial Vehicle", "vehicle", None, (40_000, 450_000), 40),
    tariff("HOSPITAL", "Hospital Cash", "health", Some(15), (4_000, 30_000), 40),
    tariff("TRAVEL-A", "Travel Annual", "travel", None, (12_000, 60_000), 12),
    tariff("ENDOW20", "Endowment 20", "life", Some(21), (36_000, 540_000), 22),
    tariff("FIRE", "Fire", "commercial", None, (30_000, 900_000), 15),
    tariff("FAMILY", "Family Health", "health", Some(15), (30_000, 220_000), 26),
    tariff("MORTGAGE", "Mortgage Life", "life", Some(21), (20_000, 400_000), 14),
    tariff("MARINE", "Marine Cargo", "commercial", None, (50_000, 2_500_000), 6),
    tariff("LIABILITY", "Public Liability", "commercial", None, (15_000, 350_000), 8),
    tariff("CROP", "Crop", "agriculture", None, (2_000, 40_000), 18),
    tariff("GROUP", "Group Life", "life", None, (150_000, 4_000_000), 3),
    tariff("INDEMNITY", "Professional Indemnity", "commercial", None, (25_000, 600_000), 5),
    tariff("SENIOR", "Senior Health", "health", Some(15), (40_000, 280_000), 10),
];
