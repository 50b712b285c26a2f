import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ExpressAdapter } from '@nestjs/platform-express';
import { normalizeIp } from '@nestjs/throttler';
import type { Settings } from '@app/configuration';
import { uploadLimits } from '../bodies/body-limits';

/** The timeouts of the server, in ms. The section "A proxy" of docs/operations.md explains them. */
const serverTimes = {
  /** More than the 60 s of nginx and of AWS: the proxy has to close an idle connection first. */
  keepAliveTimeout: 75_000,
  /** From the first byte of a request, or from the start of the connection, to the end of the headers. */
  headersTimeout: 10_000,
  /** The last resort: each body has a shorter limit of its own. */
  requestTimeout: uploadLimits.wholeMs + 10_000,
  connectionsCheckingInterval: 1_000,
};

/** The maximum number of connections without an event stream. */
const connectionsBesideStreams = 5_000;

/** The maximum number of connections from one address that have not yet carried a request with a valid key. */
const strangersPerAddress = 2_000;

/** Connections without a known caller yet, each with the function that removes it from the count. */
const strangers = new WeakMap<Socket, () => void>();

/** Removes a connection from the count of strangers, because one of its requests has a known caller. */
export function isNoStranger({ socket }: IncomingMessage): void {
  strangers.get(socket)?.();
}

/** Nest's Express adapter with a server that limits times and connections. */
export class ApiServer extends ExpressAdapter {
  constructor(private readonly settings: Pick<Settings, 'STREAMS_PER_PROCESS' | 'TRUST_PROXY'>) {
    super();
  }

  override initHttpServer(): void {
    const server = createServer(serverTimes, this.getInstance<RequestListener>());
    server.maxConnections = this.settings.STREAMS_PER_PROCESS + connectionsBesideStreams;
    // Node would answer "Expect: 100-continue" before any check. Here the reader of the body answers it.
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      server.emit('request', request, response),
    );
    // Behind a proxy, all connections come from the proxy.
    if (this.settings.TRUST_PROXY === false) server.on('connection', limitStrangers());
    this.httpServer = server;
  }
}

/**
 * Limits the connections of each address. If an address has too many, its oldest connection without a known caller is
 * closed. The newest one stays, because it may still send a valid key. The oldest one has had the time to send one.
 */
function limitStrangers(): (socket: Socket) => void {
  const open = new Map<string, Set<Socket>>();
  return (socket) => {
    const address = normalizeIp(socket.remoteAddress ?? '');
    const sockets = open.get(address) ?? new Set();
    open.set(address, sockets.add(socket));
    const leave = (): void => {
      strangers.delete(socket);
      sockets.delete(socket);
      if (sockets.size === 0 && open.get(address) === sockets) open.delete(address);
    };
    strangers.set(socket, leave);
    socket.once('close', leave);
    if (sockets.size <= strangersPerAddress) return;
    const [oldest] = sockets;
    strangers.get(oldest!)!();
    oldest!.destroy();
  };
}
