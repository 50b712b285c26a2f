import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** Where Linux says of each connection what its peer has not acknowledged (proc(5), /proc/net/tcp). */
const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];

/** So often was the same data sent again: on a network without faults, a second or two of silence. */
const retransmits = 3;

/**
 * A reader that is gone without a word (no power, no network) leaves a connection that the kernel gives up after some
 * 16 minutes. Node does not see that nothing is acknowledged until the kernel's buffer is full, which the heartbeats of
 * a quiet stream never do; the kernel knows.
 * @returns those of the sockets whose peer has stopped to acknowledge; none where the system is not Linux
 */
export async function unacknowledged(sockets: readonly Socket[]): Promise<Set<Socket>> {
  const silent = new Set<string>();
  for (const table of tables) {
    for (const line of (await readFile(table, 'latin1').catch(() => '')).split('\n').slice(1)) {
      const [, local, remote, , queues, , repeated] = line.trim().split(/\s+/);
      const isWaiting = queues !== undefined && !queues.startsWith('00000000:');
      if (isWaiting && parseInt(repeated!, 16) >= retransmits) silent.add(`${portOf(local!)} ${remote!.slice(-13)}`);
    }
  }
  return new Set(sockets.filter((socket) => silent.has(nameOf(socket))));
}

function portOf(address: string): number {
  return parseInt(address.split(':')[1]!, 16);
}

/** Both ports and the last four bytes of the peer's address, as the tables write them: each word back to front. */
function nameOf({ localPort, remoteAddress = '', remotePort = 0 }: Socket): string {
  const bytes = lastBytesOf(remoteAddress).reverse();
  const hex = Buffer.from(bytes).toString('hex').toUpperCase();
  return `${localPort} ${hex}:${remotePort.toString(16).toUpperCase().padStart(4, '0')}`;
}

function lastBytesOf(address: string): number[] {
  const tail = address.slice(address.lastIndexOf(':') + 1);
  if (tail.includes('.')) return tail.split('.').map(Number);
  const [high = '0', low = '0'] = (address.endsWith('::') ? ['0', '0'] : groupsOf(address)).slice(-2);
  return [...Buffer.from((high || '0').padStart(4, '0') + (low || '0').padStart(4, '0'), 'hex')];
}

/** @returns at least the last two groups of an IPv6 address */
function groupsOf(address: string): string[] {
  const [, groups = address] = address.split('::');
  return ['0', ...groups.split(':')];
}
