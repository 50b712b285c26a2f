type Document = PDFKit.PDFDocument;

const height = 170;
const labelHeight = 16;
const axisWidth = 52;
const gridLines = 4;

/** Draws a bar for each value, from zero, over a grid of round numbers. */
export function drawBars(
  document: Document,
  bars: readonly { readonly label: string; readonly value: number }[],
  colors: { readonly faint: string; readonly rule: string; readonly bar: string },
): void {
  const { left, right } = document.page.margins;
  const top = document.y;
  const bottom = top + height - labelHeight;
  const width = document.page.width - left - right - axisWidth;
  const step = roundStep(Math.max(...bars.map(({ value }) => value), 1) / gridLines);
  const scale = (bottom - top) / (step * gridLines);

  document.fontSize(8).fillColor(colors.faint).lineWidth(0.5);
  for (let line = 0; line <= gridLines; line += 1) {
    const y = bottom - line * step * scale;
    document
      .moveTo(left + axisWidth, y)
      .lineTo(left + axisWidth + width, y)
      .stroke(colors.rule);
    document.text((line * step).toLocaleString('en'), left, y - 5, {
      width: axisWidth - 8,
      align: 'right',
      lineBreak: false,
    });
  }
  const slot = width / bars.length;
  // As many labels as fit.
  const everyNth = Math.ceil(44 / slot);
  for (const [index, { label, value }] of bars.entries()) {
    const x = left + axisWidth + index * slot;
    const barHeight = Math.max(value, 0) * scale;
    document.rect(x + slot * 0.15, bottom - barHeight, slot * 0.7, barHeight).fill(colors.bar);
    if (index % everyNth > 0) continue;
    document
      .fillColor(colors.faint)
      .text(label, x - 22, bottom + 4, { width: slot + 44, align: 'center', lineBreak: false });
  }
  document.x = left;
  document.y = top + height;
}

/** The next of 1, 2, 2.5, 5, 10, 20, … */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 2.5, 5].find((factor) => factor * power >= step) ?? 10) * power;
}
