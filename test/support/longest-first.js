const { default: Sequencer } = require('@jest/test-sequencer');

/** Projects with the longest files first; where Jest does not know yet how long a file takes, it goes by its size. */
const longestFirst = ['crash', 'conformance', 'e2e', 'web', 'examples', 'core', 'unit'];

/** Short files last: they fill the time in which the last long one runs. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rankOf = ({ context }) => longestFirst.indexOf(context.config.displayName?.name);
    return super.sort(tests).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
};
