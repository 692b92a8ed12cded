import prettyBytes from 'pretty-bytes'
import prettyMs from 'pretty-ms'

/** Numbers as a person reads them. */

export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function size(bytes: number): string {
  return prettyBytes(Math.round(bytes), { binary: true })
}

export function speed(bytesPerSecond: number): string {
  return `${size(bytesPerSecond)}/s`
}

/** `35s`, `4m 10s`, `3d 2h`; `0.8s` below a second. */
export function time(ms: number): string {
  if (ms < 1000) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`
  return prettyMs(Math.round(ms / 1000) * 1000, { unitCount: 2 })
}

/** How often a second; rare things keep their digits. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0'
  if (perSecond < 0.01) return '<0.01'
  return perSecond < 10 ? perSecond.toFixed(2).replace(/\.?0+$/, '') : number(perSecond)
}

export function share(part: number, whole: number): string {
  if (whole === 0) return '0 %'
  const percent = (100 * part) / whole
  if (percent > 0 && percent < 0.1) return '<0.1 %'
  return `${percent < 10 ? percent.toFixed(1).replace(/\.0$/, '') : Math.round(percent)} %`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}
