import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import { Acknowledgements } from './acknowledgements';

describe('Acknowledgements', () => {
  const messages = [1, 2, 3, 4, 5].map((deliveryTag) => ({ fields: { deliveryTag } }) as ConsumeMessage);
  let frames: string[];
  let channel: EventEmitter;
  let acknowledgements: Acknowledgements;

  beforeEach(() => {
    frames = [];
    channel = Object.assign(new EventEmitter(), {
      ack: ({ fields }: ConsumeMessage, allUpTo: boolean) => {
        frames.push(`${allUpTo ? 'up to ' : ''}${fields.deliveryTag}`);
      },
    });
    acknowledgements = new Acknowledgements(channel as unknown as Channel);
    for (const message of messages) acknowledgements.received(message);
  });

  const acknowledge = (...tags: number[]) => tags.forEach((tag) => acknowledgements.acknowledge(messages[tag - 1]!));

  it('sends one frame for all messages that are done in one turn of the event loop, in whatever order they were done', async () => {
    acknowledge(3, 1, 2);
    await turn();
    expect(frames).toEqual(['up to 3']);
    expect(acknowledgements.size).toBe(2);
  });

  it('never acknowledges an unfinished message, and acknowledges the finished messages behind it', async () => {
    acknowledge(1, 3, 4);
    await turn();
    expect(frames).toEqual(['up to 1', '3', '4']);
    acknowledge(2);
    await turn();
    expect(frames.slice(3)).toEqual(['up to 2']);
    acknowledge(5);
    acknowledgements.flush();
    expect(frames.slice(4)).toEqual(['up to 5']);
    expect(acknowledgements.size).toBe(0);
  });

  it('sends nothing on a closed channel', async () => {
    acknowledge(1);
    channel.emit('close');
    await turn();
    expect(frames).toEqual([]);
  });
});
