import type { Order } from '@app/features/report';

/** The columns of every table of orders, in order. */
export const orderColumns = [
  'number',
  'placed_at',
  'customer',
  'country',
  'product',
  'quantity',
  'unit_price',
  'total',
  'status',
  'note',
] as const;

/** How a file format represents each kind of value. */
export interface CellFormat<Cell> {
  readonly text: (text: string) => Cell;
  readonly date: (moment: Date) => Cell;
  readonly number: (value: number) => Cell;
  readonly money: (cents: number) => Cell;
}

/** @returns the cells of one row */
export function cellsOf<Cell>(order: Order, { text, date, number, money }: CellFormat<Cell>): (Cell | null)[] {
  return [
    number(order.number),
    date(order.placedAt),
    text(order.customer),
    text(order.country),
    text(order.product),
    number(order.quantity),
    money(order.unitPriceCents),
    money(order.totalCents),
    text(order.status),
    order.note === null ? null : text(order.note),
  ];
}
