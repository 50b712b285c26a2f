import type { Order } from '@app/features/report';

/** How a file format represents each kind of value. */
export interface CellFormat<Cell> {
  readonly text: (text: string) => Cell;
  readonly date: (moment: Date) => Cell;
  readonly number: (value: number) => Cell;
  readonly money: (cents: number) => Cell;
}

/** The columns of every table of orders, in order. */
const columns = {
  number: (order, { number }) => number(order.number),
  placed_at: (order, { date }) => date(order.placedAt),
  customer: (order, { text }) => text(order.customer),
  country: (order, { text }) => text(order.country),
  product: (order, { text }) => text(order.product),
  quantity: (order, { number }) => number(order.quantity),
  unit_price: (order, { money }) => money(order.unitPriceCents),
  total: (order, { money }) => money(order.totalCents),
  status: (order, { text }) => text(order.status),
  note: (order, { text }) => (order.note === null ? null : text(order.note)),
} satisfies Record<string, <Cell>(order: Order, format: CellFormat<Cell>) => Cell | null>;

export const orderColumns = Object.keys(columns) as (keyof typeof columns)[];

const cells = Object.values(columns);

/** @returns the cells of one row */
export function cellsOf<Cell>(order: Order, format: CellFormat<Cell>): (Cell | null)[] {
  return cells.map((cellOf) => cellOf(order, format));
}
