import { runContender } from './drain/contender';

const reportEach = process.env['BENCH_REPORT'] === 'each';

/** A broker's client: it acknowledges messages and does nothing else. */
void runContender((line) => ({
  take: (bodies) => {
    line.runs += bodies.length;
    if (reportEach) process.send!({ came: bodies.length });
    else line.passed(bodies.length);
    return Promise.resolve();
  },
}));
