/**
 * What every broker's driver, under the core, has to do. Each id belongs to exactly one test; a broker is tested for
 * all of them, and for a capability that it does not claim, for the refusal.
 */
export const scenarios = {
  // What a handler says
  delivers: 'a job runs once; its result and its row in the dedupe table are kept',
  'retries-then-succeeds': 'a throw is tried again after the back-off of its definition, and then succeeds',
  'jitters-the-back-off': 'with full jitter the delay lies anywhere between nothing and the whole',
  'dead-letter-after-last-attempt': 'a throw at the last attempt is the end: failed, and a dead letter that says why',
  'dead-letter-on-fail': 'fail is final at the first attempt',
  snoozes: 'snooze comes back later and does not count as an attempt',
  'refuses-a-wrong-result': 'a result of another shape than promised fails, and so does one that cannot be stored',
  'times-out': 'an attempt that takes too long is asked to stop, and tried again',
  'reports-progress': 'progress is on the job while it runs',
  redrives: 'a failed job that is redriven has all its attempts again, and its effect key; a second redrive is refused',
  // When
  'runs-after-a-delay': 'delayMs: not before its time',
  'runs-at-a-moment': 'runAt: not before its time, and a moment that has passed means now',
  'runs-the-urgent-first': 'of what waits, high priority runs first, where the broker claims it',
  'limits-the-rate':
    'not more starts in a time than the queue allows, where the broker claims it; refused at boot where not',
  'limits-concurrency': 'not more handlers at once in a process than the definition allows',
  'limits-concurrency-per-tenant':
    'a tenant whose jobs never end holds its own slots only; the jobs of another tenant behind them run at once, and nobody loses an attempt',
  'keeps-order-per-key': 'jobs of one key run one after the other, past one that is retried and one that fails',
  'order-does-not-block-others': 'a key that waits holds up no other key',
  'makes-scheduled-jobs-once': 'every tick of a timetable makes one job, with two relays, and missed ticks make one',
  // Who may run it
  'runs-a-duplicate-publish-once': 'the same dispatch published many times, before, while and after it runs, runs once',
  'drops-a-stale-dispatch': 'a message of another dispatch, or of a job that is not there, runs nothing',
  'fences-a-frozen-worker': 'a worker that fell silent loses its job, and its late result is not written',
  'renews-its-lease': 'a handler that runs longer than the lease keeps its job',
  'stops-a-handler-that-lost-its-lease': 'the heartbeat that finds a lease lost aborts the handler',
  'buries-what-kills-its-worker': 'a job that takes its worker down at every attempt becomes a dead letter',
  // What somebody puts on the queue
  'sets-aside-what-it-cannot-read':
    'malformed, oversized, of an unknown kind: a dead letter with its bytes; the neighbour runs',
  'brings-an-old-payload-up-to-date': 'a payload of an older version is upcast',
  'hands-back-a-newer-version': 'a version newer than the worker waits for a newer worker',
  'adopts-a-foreign-event': 'a CloudEvent of another source becomes a job, once however often it comes',
  'sets-aside-a-foreign-payload': 'a foreign event whose data is not a payload is set aside and says why',
  'carries-the-trace': 'the trace of the request reaches the handler through the broker',
  // Ends that somebody asks for
  'cancels-before-it-runs': 'a queued job is cancelled at once, and a message that was out runs nothing',
  'cancels-while-it-runs': 'an active one is asked to stop, and is cancelled even where its handler calls it a retry',
  'cancels-too-late': 'a job that has ended stays as it is, and a handler that finished all the same is completed',
  // Families
  'runs-a-parent-after-its-children': 'a parent runs once, after all children, and gets their results in order',
  'fails-a-parent-with-its-child': 'a child that fails fails its parent',
  'redrives-a-family':
    'a redriven child brings its parent back, which waits for it; one with a cancelled child stays failed',
  'cancels-children-with-their-parent': 'cancelling a parent cancels what its children have not done',
  // Events
  broadcasts: 'every subscriber hears every event',
  'does-not-tell-what-was-rolled-back': 'an event is told if, and only if, its transaction was committed',
  'hears-what-came-while-it-was-away': 'a subscriber that was away hears what came meanwhile',
  'handles-an-event-once': 'an event that is published twice is handled once by each subscriber',
  'handles-events-in-one-transaction':
    'dedupe rows and effects of a group are one commit, and one that fails is undone',
  'a-subscriber-that-fails-is-alone':
    'an event that one subscriber cannot handle is set aside after its attempts; the others hear it',
  'sets-aside-an-event-it-cannot-read': 'malformed, of another kind or shape: a dead letter with its bytes',
  'keeps-events-in-order-per-key': 'events of one key are heard in the order in which they were told, where claimed',
  replays:
    'a new name hears everything again, or from a moment on, where the broker claims it; refused at boot where not',
  'tells-of-finished-jobs': 'job.finished is told of every job that has come to an end, however it ended',
  // Accidents
  'drains-and-hands-back':
    'a drain waits for what ends in time, hands the rest back uncounted, and the next worker does it',
  'hands-back-what-it-has-not-begun': 'of what was delivered and waits for a slot, a drain begins nothing',
  'keeps-what-the-broker-refused': 'a publish that fails leaves the row, and it goes when the broker takes it',
  'sets-aside-what-the-broker-refuses':
    'a message that the broker never takes is a dead letter with its bytes; its neighbours are published once',
  'gives-up-a-silent-publish': 'a publish that never returns ends at its deadline and is tried again; it runs once',
  'brings-back-what-the-broker-forgot': 'a queue that was emptied is filled again from the ledger',
  'says-what-it-holds': 'depth counts what waits and what is worked on',
  'takes-no-more-than-it-can-do':
    'a hundred thousand messages wait in the broker, not in the worker: memory stays flat',
} as const;

export type ScenarioId = keyof typeof scenarios;
