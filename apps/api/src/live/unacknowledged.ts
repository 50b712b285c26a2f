import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** The tables in which Linux lists the unacknowledged data of each connection (proc(5), /proc/net/tcp). */
const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];

/** The number of retransmissions after which a peer counts as lost: one or two seconds of silence on a good network. */
const retransmits = 3;

/**
 * Finds connections whose peer is lost. If a reader loses power or network, the kernel keeps its connection for about
 * 16 minutes. Node notices only when the kernel's buffer is full, and the heartbeats of a quiet stream never fill it.
 * The kernel knows which data is not acknowledged.
 * @returns the sockets whose peer no longer acknowledges; none if the system is not Linux
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

/**
 * Returns both ports and the last four bytes of the peer's address in the format of the tables, which reverse the bytes
 * of each word.
 */
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
