import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { EndMark } from '../../dev/guest/end-mark.ts'

const MARK = '\u001fmark-7'

describe('the end mark', () => {
  it.each([
    { what: 'in one piece', chunks: [`a\nb${MARK} 3\n`] },
    { what: 'byte by byte', chunks: [...`a\nb${MARK} 3\n`] },
    { what: 'with bytes behind it', chunks: ['a\nb', `${MARK} 3\nlate`, 'later'] },
  ])('tells the code and is not passed on: $what', async ({ chunks }) => {
    const filter = new EndMark(MARK)
    const passed = text(filter)
    for (const chunk of chunks) filter.write(chunk)
    filter.end()
    expect(await filter.code).toBe(3)
    expect(await passed).toBe('a\nb')
  })

  it('holds back only what may begin the mark', () => {
    const filter = new EndMark(MARK)
    filter.write('ready\n')
    expect(filter.read()?.toString()).toBe('ready\n')
    filter.write(`x${MARK.slice(0, 4)}`)
    expect(filter.read()?.toString()).toBe('x')
    filter.write('-not\n')
    expect(filter.read()?.toString()).toBe(`${MARK.slice(0, 4)}-not\n`)
  })

  it('passes the rest on when the guest dies in the middle of a mark', async () => {
    const filter = new EndMark(MARK)
    const passed = text(filter)
    filter.end(`a${MARK.slice(0, 4)}`)
    expect(await passed).toBe(`a${MARK.slice(0, 4)}`)
  })
})
