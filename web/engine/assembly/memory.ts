const PAGE: usize = 65536;

let top: usize = (__heap_base + 15) & ~15;

/** Allocates a block of zeros, aligned to 16 bytes, that is never freed. */
export function allocate(bytes: usize): usize {
  const start = top;
  top = (start + bytes + 15) & ~15;
  const pages = i32((top + PAGE - 1) / PAGE) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
  return start;
}

/** to = from; both [n]. */
export function copy(from: usize, to: usize, n: i32): void {
  memory.copy(to, from, usize(n) << 2);
}
