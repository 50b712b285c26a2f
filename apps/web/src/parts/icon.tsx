/** SVG paths in a square of 24 × 24, drawn for this page. */
const strokes = {
  send: 'M4 12 20 4l-5 16-3.5-6.5L4 12Zm7.5 1.5L20 4',
  jobs: 'M5 6h14M5 12h14M5 18h9',
  bolt: 'M13 3 5 14h6l-1 7 9-12h-6l1-6Z',
  mail: 'M4 6h16v12H4zM4 7l8 6 8-6',
  box: 'm12 3 8 4.5v9L12 21l-8-4.5v-9L12 3Zm0 9 8-4.5M12 12v9m0-9L4 7.5',
  broker: 'M4 8h16M4 16h16M8 4v4m8 8v4M12 8v8',
  deadLetter: 'M5 8h14v11H5zM8 8V5h8v3m-7 4 6 4m0-4-6 4',
  webhook: 'M8 8a4 4 0 1 1 6.5 3.1L17 15.5m.5 4.2a3.5 3.5 0 1 0-3-5.7M12 8l-3.5 6.5a3.6 3.6 0 1 0 2 4.5H17',
  board: 'M4 4h16v16H4zM10 4v16m0-8h10',
  docs: 'M6 3h9l4 4v14H6zM9 12h7m-7 4h7',
  out: 'M9 7h8v8M17 7 7 17',
  api: 'M4 7h16v10H4zM8 11v2m4-2v2m4-2v2',
  outbox: 'M4 13v6h16v-6M12 15V4m-4 4 4-4 4 4',
  worker:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-5v3m0 12v3M3 12h3m12 0h3M5.6 5.6l2.2 2.2m8.4 8.4 2.2 2.2m0-12.8-2.2 2.2m-8.4 8.4-2.2 2.2',
  effect: 'm5 12 5 5L20 7',
  stop: 'M7 7h10v10H7z',
  again: 'M19 12a7 7 0 1 1-2-4.9M19 4v4h-4',
  open: 'm9 6 6 6-6 6',
  back: 'M19 12H5m6-6-6 6 6 6',
} as const;

export type IconName = keyof typeof strokes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={strokes[name]} />
    </svg>
  );
}
