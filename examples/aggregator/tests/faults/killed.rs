//! The program killed by `kill -9` at random moments of incremental and full runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moon_testkit::random::Chance;
use moon_testkit::rounds::{chance, rounds};

use crate::figures::State;
use crate::locks::FiguresLock;
use crate::servers::Server;
use crate::watch::Watch;
use crate::world::{Standing, World};
use crate::writer::{MONTH, Writer};

/// After how many rounds it is measured again how long a run takes: the ledger grows.
const MEASURED_EVERY: u32 = 10;

/// Each of so many rounds kills at the moment of publishing, within this time; the others at any moment.
const PUBLISHING_EVERY: u32 = 3;
const PUBLISHING: Duration = Duration::from_millis(12);

/// Of so many rounds one at least must hit a run under way; more rounds are made until it is so.
const HIT_OF: u32 = 5;

/// How far a process was when it was killed, by what it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It had not claimed a run yet.
    Starting,
    /// It had claimed one, and its stage was not made.
    Claimed,
    /// It had a stage: it read, computed, staged, or was about to publish.
    Staging,
    /// It had published and not settled.
    Published,
    /// It had settled its run.
    Settled,
    /// It had ended before.
    Ended,
}

impl Phase {
    /// Whether the run was broken off.
    fn is_under_way(self) -> bool {
        matches!(self, Self::Claimed | Self::Staging | Self::Published)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_the_next_run_makes_every_figure_exact() {
    let Some(world) = World::new(Server::Mysql).await else { return };
    let mut chances = chance(0);
    let mut writer = Writer::new(world.ledger(), chances.clone()).await;
    writer.write(world.ledger()).await;
    world.run(&["run"]).await;
    world.run(&["close", MONTH]).await;
    let watch = Watch::new(Arc::clone(world.aggregation.warehouse()), world.state().await).await;
    let first = chances.below(1_000);
    let mut killer = Killer { world: &world, writer, watch, life: [Duration::ZERO; 2] };
    let mut hits: BTreeMap<Phase, u32> = BTreeMap::new();
    let wanted = rounds();
    let mut round = 0;
    loop {
        let under_way = under_way(&hits);
        let is_enough = under_way > 0 && under_way * HIT_OF >= wanted;
        if round >= wanted && (is_enough || round >= wanted * 4) {
            assert!(is_enough, "only {under_way} of {round} kills hit a run under way: {hits:?}");
            break;
        }
        if round.is_multiple_of(MEASURED_EVERY) {
            killer.measure().await;
        }
        // By the golden section of a life after the last one, so that any number of them is spread evenly over it.
        let moment = (first + u64::from(round) * 618) % 1_000;
        let phase = killer.kill(round, moment, &mut chance(round + 1)).await;
        *hits.entry(phase).or_default() += 1;
        round += 1;
    }
    let lives = killer.life;
    let looks = killer.watch.end().await;
    eprintln!("{round} kills, {} of a run under way: {hits:?}; {looks:?}; {lives:?}", under_way(&hits));
}

/// How many kills broke a run off.
fn under_way(hits: &BTreeMap<Phase, u32>) -> u32 {
    hits.iter().filter(|(phase, _)| phase.is_under_way()).map(|(_, hits)| hits).sum()
}

struct Killer<'w> {
    world: &'w World,
    writer: Writer,
    watch: Watch,
    /// How long an undisturbed incremental and an undisturbed full run of the program take, from its start to its end.
    life: [Duration; 2],
}

impl Killer<'_> {
    /// Changes the ledger, and says what may be published from now on.
    async fn write(&mut self) -> State {
        self.writer.write(self.world.ledger()).await;
        let state = self.world.state().await;
        self.watch.expect(state.clone());
        state
    }

    async fn measure(&mut self) {
        for (is_full, arguments) in [["run"].as_slice(), &["run", "--full"]].into_iter().enumerate() {
            self.write().await;
            self.life[is_full] = self.world.run(arguments).await;
        }
        self.world.check_settled("measuring").await;
    }

    /// One round: a batch, a run that is killed at a moment (in thousandths of the time that may be), and one that is not.
    async fn kill(&mut self, round: u32, moment: u64, chance: &mut Chance) -> Phase {
        self.write().await;
        let before = self.world.standing().await;
        let is_full = usize::from(round % 2 == 1);
        let arguments: &[&str] = if is_full == 1 { &["run", "--full"] } else { &["run"] };
        let mut program = if round.is_multiple_of(PUBLISHING_EVERY) {
            // Few moments of a life are like these: figures appear, and nothing is settled.
            let lock = FiguresLock::hold(self.world).await;
            let program = self.world.start(arguments);
            lock.until_held(1).await;
            lock.release().await;
            tokio::time::sleep(PUBLISHING / 1_000 * u32::try_from(moment).unwrap()).await;
            program
        } else {
            let program = self.world.start(arguments);
            tokio::time::sleep(self.life[is_full] / 1_000 * u32::try_from(moment).unwrap()).await;
            program
        };
        let lived = program.kill();
        let phase = self.look(&before, lived).await;
        let told = format!("round {round}, killed at {moment}/1000, {phase:?}");

        // Somebody may record more before the next run, whose state then holds that too.
        let more = chance.below(3) == 0;
        if more {
            self.write().await;
        }
        self.world.run(if chance.below(4) == 0 { &["run", "--full"] } else { &["run"] }).await;
        self.world.check(&told).await;
        if more {
            // A repeat leaves marks that came behind its claim to the next run.
            self.world.run(&["run"]).await;
        }
        self.world.check_settled(&told).await;
        phase
    }

    /// How far it was, and that no mark is lost: all wait or belong to the run as long as it is not settled.
    async fn look(&self, before: &Standing, lived: bool) -> Phase {
        let standing = self.world.standing().await;
        let run = standing.run.clone().unwrap();
        if before.run == standing.run {
            assert_eq!(standing, *before, "nothing was begun");
            return if lived { Phase::Starting } else { panic!("it ended without a run") };
        }
        assert_eq!(run.number, before.run.as_ref().unwrap().number + 1);
        assert_eq!(standing.open, [], "claimed or settled");
        if run.finished {
            assert_eq!(standing.claimed, []);
            return if lived { Phase::Settled } else { Phase::Ended };
        }
        assert_eq!(standing.claimed, before.open);
        let published = self.world.aggregation.status(1).await.unwrap().published;
        if published.is_some_and(|record| record.key.id.to_string() == run.id) {
            return Phase::Published;
        }
        let stages = "SELECT run_id, run_id FROM warehouse_stages";
        let stages = Server::Postgres.query(&self.world.figures_url, &[stages.to_owned()]).await;
        if stages.iter().any(|(id, _)| *id == run.id) { Phase::Staging } else { Phase::Claimed }
    }
}
