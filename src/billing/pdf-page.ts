/** Lays text out on A4 pages: what is above the next free line never moves. */

/** A column of a table; widths are in points. */
export interface Column {
  readonly title: string
  readonly width: number
  readonly align: 'left' | 'right'
}

/** A row of a table: a text for each column, and small print below the second. */
export interface Row {
  readonly cells: readonly string[]
  readonly details: readonly string[]
}

const PAGE = { width: 595.28, height: 841.89 }
const MARGIN = 48
const RIGHT = PAGE.width - MARGIN
const BOTTOM = PAGE.height - 64
const INK = '#1a1a1a'
const GREY = '#666666'
const RULE = '#cccccc'
const SIZE = { headline: 16, total: 15, heading: 10.5, text: 8.5, small: 7 }
const GAP = 5

/** A document that is written from top to bottom. */
export class PdfPage {
  readonly #document: PDFKit.PDFDocument
  readonly #footer: { readonly left: string; readonly middle: string }
  #y = MARGIN

  constructor(
    document: PDFKit.PDFDocument,
    fonts: { readonly regular: string; readonly bold: string },
    footer: { readonly left: string; readonly middle: string },
  ) {
    this.#document = document
    this.#footer = footer
    document.registerFont('regular', fonts.regular)
    document.registerFont('bold', fonts.bold)
  }

  /** Writes who issues the bill, and what it is, in one line. */
  headline(left: string, right: string): void {
    const width = (RIGHT - MARGIN) / 2
    const height = Math.max(
      this.#put(left, MARGIN, { font: 'bold', size: SIZE.headline, width }),
      this.#put(right, MARGIN + width, {
        font: 'bold',
        size: SIZE.headline,
        width,
        align: 'right',
      }),
    )
    this.#y += height + 6
    this.#rule(INK)
    this.#y += 10
  }

  /** Writes names and values, one pair a line. */
  facts(pairs: readonly (readonly [string, string])[]): void {
    const nameWidth = 92
    for (const [name, value] of pairs) {
      const width = RIGHT - MARGIN - nameWidth
      this.#keep(this.#heightOf(value, { font: 'regular', size: SIZE.text, width }))
      this.#put(name, MARGIN, { font: 'regular', size: SIZE.text, width: nameWidth, color: GREY })
      this.#y +=
        this.#put(value, MARGIN + nameWidth, { font: 'regular', size: SIZE.text, width }) + 1.5
    }
  }

  /** Writes what is owed, large and to the right. */
  totals(texts: readonly string[]): void {
    this.#y += 8
    for (const [index, text] of texts.entries()) {
      const width = RIGHT - MARGIN
      if (index === 0) {
        this.#put('Total', MARGIN, { font: 'bold', size: SIZE.total, width: 120 })
      }
      this.#y += this.#put(text, MARGIN, {
        font: 'bold',
        size: SIZE.total,
        width,
        align: 'right',
      })
    }
    this.#y += 4
  }

  /** Begins a part of the bill, never as the last line of a page. */
  heading(text: string): void {
    this.#y += 10
    this.#keep(60)
    this.#y +=
      this.#put(text, MARGIN, { font: 'bold', size: SIZE.heading, width: RIGHT - MARGIN }) + 3
  }

  /** Writes a paragraph. */
  paragraph(text: string): void {
    const style = { font: 'regular', size: SIZE.text, width: RIGHT - MARGIN } as const
    this.#keep(this.#heightOf(text, style))
    this.#y += this.#put(text, MARGIN, style) + 2
  }

  /** Writes a table; its head is repeated on every page, and no row is cut in two. */
  table(columns: readonly Column[], rows: readonly Row[]): void {
    this.#tableHead(columns)
    for (const row of rows) {
      const height = this.#rowHeight(columns, row)
      if (this.#keep(height)) this.#tableHead(columns)
      this.#row(columns, row)
      this.#y += height
      this.#rule(RULE)
    }
  }

  /** Numbers the pages. */
  finish(): void {
    const { start, count } = this.#document.bufferedPageRange()
    for (let index = start; index < start + count; index += 1) {
      this.#document.switchToPage(index)
      this.#y = PAGE.height - 44
      this.#rule(RULE)
      this.#y += 5
      const third = (RIGHT - MARGIN) / 3
      const style = { font: 'regular', size: SIZE.small, color: GREY, width: third } as const
      this.#put(this.#footer.left, MARGIN, style)
      this.#put(this.#footer.middle, MARGIN + third, { ...style, align: 'center' })
      const pages = `Page ${index + 1} of ${count}`
      this.#put(pages, MARGIN + 2 * third, { ...style, align: 'right' })
    }
  }

  #tableHead(columns: readonly Column[]): void {
    this.#rule(INK)
    this.#y += 3
    let x = MARGIN
    for (const { title, width, align } of columns) {
      this.#put(title, x, { font: 'bold', size: SIZE.text, width, align })
      x += width + GAP
    }
    this.#y += 14
    this.#rule(INK)
  }

  #rowHeight(columns: readonly Column[], { cells, details }: Row): number {
    const texts = columns.map(({ width }, index) =>
      this.#heightOf(cells[index] ?? '', { font: 'regular', size: SIZE.text, width }),
    )
    const width = columns[1]?.width ?? 0
    const small = details.reduce(
      (sum, text) => sum + this.#heightOf(text, { font: 'regular', size: SIZE.small, width }),
      0,
    )
    texts[1] = (texts[1] ?? 0) + small
    return Math.max(...texts) + 6
  }

  #row(columns: readonly Column[], { cells, details }: Row): void {
    const top = this.#y
    let x = MARGIN
    for (const [index, { width, align }] of columns.entries()) {
      this.#y = top + 3
      const style = { font: 'regular', size: SIZE.text, width, align } as const
      this.#y += this.#put(cells[index] ?? '', x, style)
      for (const text of index === 1 ? details : []) {
        const small = { font: 'regular', size: SIZE.small, width, color: GREY } as const
        this.#y += this.#put(text, x, small)
      }
      x += width + GAP
    }
    this.#y = top
  }

  /** Goes to a new page when so much does not fit on this one; tells whether it did. */
  #keep(height: number): boolean {
    if (this.#y + height <= BOTTOM) return false
    this.#document.addPage()
    this.#y = MARGIN
    return true
  }

  #rule(color: string): void {
    this.#document
      .moveTo(MARGIN, this.#y)
      .lineTo(RIGHT, this.#y)
      .lineWidth(0.5)
      .strokeColor(color)
      .stroke()
  }

  #heightOf(text: string, { font, size, width }: TextStyle): number {
    return this.#document.font(font).fontSize(size).heightOfString(text, { width })
  }

  #put(text: string, x: number, style: TextStyle): number {
    const { font, size, width, align = 'left', color = INK } = style
    this.#document.font(font).fontSize(size).fillColor(color)
    this.#document.text(text, x, this.#y, { width, align, lineBreak: true })
    return this.#heightOf(text, style)
  }
}

interface TextStyle {
  readonly font: 'regular' | 'bold'
  readonly size: number
  readonly width: number
  readonly align?: 'left' | 'right' | 'center'
  readonly color?: string
}
