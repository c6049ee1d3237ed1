/* The packed timeline, and the loops over all of its events. */
// A part of the payload: the length of its head, the head, the columns that it names, and the rest
const KINDS = { I: Uint32Array, f: Float32Array, B: Uint8Array };
const bytesOf = (text) => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const plain = atob(text), bytes = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i++) bytes[i] = plain.charCodeAt(i);
  return bytes;
};
const unpack = async (id) => {
  const gunzip = new DecompressionStream("gzip"), writer = gunzip.writable.getWriter();
  writer.write(bytesOf(byId(id).textContent));
  writer.close();
  const raw = await new Response(gunzip.readable).arrayBuffer();
  const read = (from, long) => new TextDecoder().decode(new Uint8Array(raw, from, long));
  const long = new DataView(raw).getUint32(0, true), part = JSON.parse(read(4, long));
  let at = 4 + long;
  part.columns.forEach(([name, kind, count]) => { part[name] = new KINDS[kind](raw, at, count); at += count * KINDS[kind].BYTES_PER_ELEMENT; });
  part.tail = () => read(at);
  return part;
};

// Loops over all events, apart from everything else so that they are compiled soon
const bin = (passing, lo, hi, time, start, scale, lane, rowOf, level, worst, many, px) => {
  for (let k = lo; k < hi; k++) {
    const i = passing[k], r = rowOf[lane[i]];
    if (r < 0) continue;
    const at = r * px + (((time[i] - start) * scale) | 0), l = level[i] + 1;
    if (worst[at] < l) worst[at] = l;
    many[at]++;
  }
};
const matching = (out, level, type, node, floor, okType, only) => {
  let k = 0;
  for (let i = 0; i < level.length; i++) if (level[i] >= floor && okType[type[i]] && (only < 0 || node[i] === only)) out[k++] = i;
  return k;
};
const paint = (image, px, worst, many, tops, inks, warn) => {
  for (let r = 0; r < tops.length; r++) {
    if (tops[r] < 0) continue;
    for (let x = 0, at = r * px; x < px; x++, at++) {
      const w = worst[at];
      if (!w) continue;
      const half = Math.min(6, 2 + (32 - Math.clz32(many[at])) + (w > warn ? 2 : 0)), ink = inks[w];
      for (let y = tops[r] - half, to = tops[r] + half; y < to; y++) image[y * px + x] = ink;
    }
  }
};
