/**
 * What the driver of every broker, together with the core, has to do. Each id belongs to exactly one test. A broker is
 * tested for all of them. When a broker does not claim a capability, the test checks that the system refuses to use
 * it.
 */
export const scenarios = {
  // Outcomes of a handler
  delivers: 'a job runs once; its result and its row in the dedupe table are stored',
  'retries-then-succeeds':
    'a job whose handler throws is retried after the back-off of its definition, and then succeeds',
  'jitters-the-back-off': 'with full jitter the delay is anywhere between zero and the full back-off',
  'dead-letter-after-last-attempt':
    'a job whose handler throws at the last attempt fails and becomes a dead letter with the reason',
  'dead-letter-on-fail': 'a job whose handler returns fail fails at the first attempt',
  snoozes: 'a job whose handler returns snooze runs again later, and the run does not count as an attempt',
  'refuses-a-wrong-result':
    'a job fails when its result does not match the schema, and when its result cannot be stored',
  'times-out': 'an attempt that times out is aborted, and the job is retried',
  'reports-progress': 'the progress of a job can be read while the job runs',
  redrives: 'a redriven job has all its attempts again and the same effect key; a second redrive is refused',
  // Timing and limits
  'runs-after-a-delay': 'a job with delayMs does not run before its time',
  'runs-at-a-moment': 'a job with runAt does not run before its time, and runs at once when that time has passed',
  'runs-the-urgent-first':
    'of the waiting jobs, the one with the highest priority runs first; refused when the broker has no priorities',
  'limits-the-rate':
    'no more jobs start in a period than the rate limit allows; refused at start-up when the broker has no rate limit',
  'limits-concurrency': 'no more handlers run at the same time in a process than the definition allows',
  'limits-concurrency-per-tenant':
    'jobs of one tenant that never end fill only its own slots; jobs of other tenants run at once, and no job loses an attempt',
  'keeps-order-per-key': 'jobs with the same order key run one after another, even when one is retried and one fails',
  'order-does-not-block-others': 'jobs with one order key do not delay jobs with another',
  'makes-scheduled-jobs-once':
    'every tick of a schedule makes one job, even with two relays, and all missed ticks together make one job',
  // Claims and leases
  'runs-a-duplicate-publish-once':
    'a dispatch that is published many times, before, during and after its run, runs once',
  'drops-a-stale-dispatch': 'a message with another dispatch number, or for an unknown job, is dropped',
  'fences-a-frozen-worker': 'a worker that sends no heartbeat loses its job, and its late result is not written',
  'renews-its-lease': 'a worker whose handler runs longer than the lease renews the lease and keeps the job',
  'stops-a-handler-that-lost-its-lease': 'a heartbeat that finds the lease lost aborts the handler',
  'buries-what-kills-its-worker': 'a job whose worker dies at every attempt becomes a dead letter',
  // Messages on the queue
  'sets-aside-what-it-cannot-read':
    'a malformed or oversized message, or one of an unknown kind, becomes a dead letter with its bytes; the message behind it runs',
  'brings-an-old-payload-up-to-date': 'a payload of an older version is upcast to the current version',
  'hands-back-a-newer-version':
    'a job of a newer version than the worker knows is put back for later without losing an attempt',
  'adopts-a-foreign-event': 'a CloudEvent of another service becomes one job, however often it is delivered',
  'sets-aside-a-foreign-payload':
    'an event of another service whose data does not match the payload schema becomes a dead letter with the reason',
  'carries-the-trace': 'the trace context of the request reaches the handler through the broker',
  // Cancellation
  'cancels-before-it-runs': 'a queued job is cancelled at once, and a message that was already sent is dropped',
  'cancels-while-it-runs': 'an active job is aborted, and is cancelled even when its handler asks for a retry',
  'cancels-too-late':
    'a finished job does not change, and a job whose handler finishes in spite of the request is completed',
  // Parents and children
  'holds-the-jobs-of-a-paused-queue':
    'no attempt of a paused queue begins, messages at the broker included; a resume runs each of its jobs once',
  'cancels-the-jobs-of-a-purged-queue':
    'a purge cancels the jobs that have not begun, due or not, and fails their parents',
  'runs-a-parent-after-its-children': 'a parent job runs once, after all its children, and gets their results in order',
  'fails-a-parent-with-its-child': 'a parent job fails when one of its children fails',
  'redrives-a-family':
    'a redriven child puts its failed parent back to waiting; a parent with a cancelled child stays failed',
  'cancels-children-with-their-parent': 'cancelling a parent job cancels its unfinished children',
  // Events
  broadcasts: 'every subscriber gets every event',
  'does-not-tell-what-was-rolled-back': 'an event is published only when its transaction is committed',
  'hears-what-came-while-it-was-away': 'a subscriber gets the events that were published while it was stopped',
  'handles-an-event-once': 'an event that is published twice is handled once by each subscriber',
  'handles-events-in-one-transaction':
    'the dedupe rows and the effects of a group are committed together, and are rolled back when the handler fails',
  'a-subscriber-that-fails-is-alone':
    'an event that one subscriber cannot handle is dead-lettered after its attempts; the other subscribers get it',
  'sets-aside-an-event-it-cannot-read':
    'a malformed event, or one of another kind or shape, becomes a dead letter with its bytes',
  'keeps-events-in-order-per-key':
    'a subscriber gets the events of one key in the order in which they were recorded, when the broker keeps that order',
  replays:
    'a new subscriber name gets all events again, or those since a point in time; refused at start-up when the broker cannot replay',
  'tells-of-finished-jobs': 'job.finished is published for every finished job: completed, failed or cancelled',
  // Failures of brokers and workers
  'drains-and-hands-back':
    'a drain waits for handlers that finish in time, returns the other jobs without counting an attempt, and the next worker runs them',
  'hands-back-what-it-has-not-begun': 'a draining worker starts no job that was delivered and waits for a slot',
  'keeps-what-the-broker-refused':
    'a publish that fails keeps the outbox row, and the row is published when the broker accepts it',
  'sets-aside-what-the-broker-refuses':
    'a message that the broker refuses becomes a dead letter with its bytes; the other messages of its batch are published once',
  'gives-up-a-silent-publish': 'a publish that never returns times out and is retried; its job runs once',
  'brings-back-what-the-broker-forgot': 'jobs that the broker has lost are dispatched again from the ledger',
  'says-what-it-holds': 'the depth of a queue counts the waiting messages and those in flight',
  'takes-no-more-than-it-can-do':
    'with 100,000 messages waiting, a worker fetches a few at a time and its memory stays flat',
} as const;

export type ScenarioId = keyof typeof scenarios;
