import { runContender } from './drain/contender';

const reportEach = process.env['BENCH_REPORT'] === 'each';

/** The client of a broker that acknowledges messages and does nothing else. */
void runContender((line) => ({
  take: (bodies) => {
    line.runs += bodies.length;
    if (reportEach) process.send!({ came: bodies.length });
    else line.passed(bodies.length);
    return Promise.resolve();
  },
}));
