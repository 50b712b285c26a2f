import type { JobDefinition } from '@app/contracts';
import type { Harness } from '../support/broker-under-test';
import { startCore, type Core, type CoreOptions, type TestHandler } from '../support/core';
import { scenarios, type ScenarioId } from './scenarios';
import { accidents } from './suite/accidents';
import { cancelling } from './suite/cancelling';
import { claiming } from './suite/claiming';
import { events } from './suite/events';
import { families } from './suite/families';
import { messages } from './suite/messages';
import { outcomes } from './suite/outcomes';
import { pausing } from './suite/pausing';
import { timing } from './suite/timing';

/** What a group of tests uses. */
export interface Suite {
  readonly harness: Harness;
  /** Registers the one test of a scenario. */
  readonly scenario: (id: ScenarioId, test: () => Promise<void>) => void;
  /** Starts the core on a fresh database and the broker under test. `afterEach` closes it. */
  readonly start: (
    handlers: readonly (readonly [JobDefinition, TestHandler])[],
    options?: CoreOptions,
  ) => Promise<Core>;
}

/** Registers all tests of a driver together with the core. A new broker needs one driver folder and one harness. */
export function conformance(harness: Harness): void {
  (harness.isThere ? describe : describe.skip)(`on ${harness.name}`, () => {
    const tested = new Set<ScenarioId>();
    let core: Core | undefined;

    const suite: Suite = {
      harness,
      scenario: (id, test) => {
        if (tested.has(id)) throw new Error(`Scenario "${id}" has two tests.`);
        tested.add(id);
        it(`${id}: ${scenarios[id]}`, test);
      },
      start: async (handlers, options) => (core = await startCore(handlers, { harness, ...options })),
    };

    afterEach(async () => {
      const ended = core;
      core = undefined;
      await ended?.close();
    });

    for (const group of [outcomes, timing, claiming, messages, cancelling, pausing, families, events, accidents])
      group(suite);

    it('has a test for every scenario of the inventory', () => {
      expect([...tested].sort()).toEqual(Object.keys(scenarios).sort());
    });
  });
}
