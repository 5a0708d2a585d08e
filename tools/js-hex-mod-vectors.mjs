// Prints the C table tests/unit/js_hex_mod_vectors.h: what a JavaScript engine
// says of `${parseInt(id, 16) % n}` for ids of every shape.
//
//   node tools/js-hex-mod-vectors.mjs [COUNT] >tests/unit/js_hex_mod_vectors.h
//
// The committed table has the hand-picked ids and 200 drawn ones; the test was
// also run once with COUNT=20000.
const count = Number(process.argv[2] ?? 200);
let seed = 42;
const random = (n) => {
	seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
	return Math.floor((seed / 4294967296) * n);
};
const digits = (n, alphabet = "0123456789abcdefABCDEF") =>
	Array.from({ length: n }, () => alphabet[random(alphabet.length)]).join("");

const picked = [
	"507f1f77bcf86cd799439011", "507f1f77bcf86cd799439012", "7", "0", "-0", "-7", "+7", "-a", "",
	"x", "g", "0x", "0x1f", "0X1F", "-0x1f", "+0xff", "- 7", "--7", "0x0x1", "00ff", "12g4", "1_000",
	"1.5", "1e3", " 7", "\t\n\v\f\r 1a", "\u00a01b", "\ufeff1c", "\u16801d", "\u20001e", "\u200a1f",
	"\u20282a", "\u20292b", "\u202f2c", "\u205f2d", "\u30002e", "\u200b2f", "\u180e3a", "\u00853b",
	"7 ", "f".repeat(255), "f".repeat(256), "f".repeat(257), "1" + "0".repeat(255),
	"1" + "0".repeat(256), "0".repeat(500) + "f", "7".repeat(600), "-" + "f".repeat(256),
	// the rounding's edges: 2^53 + 1 (tie to even), one bit more, ties broken by a far digit
	"20000000000000", "20000000000001", "20000000000002", "20000000000003", "40000000000002",
	"40000000000006", "1000000000000080", "1000000000000081", "10000000000000800000",
	"10000000000000800001", "1fffffffffffff", "3fffffffffffff", "7ffffffffffffe", "7fffffffffffff",
	"fffffffffffff7ff", "fffffffffffff800", "fffffffffffffbff", "fffffffffffffc00",
	"fffffffffffffc000000000000000001", "fffffffffffff400000000000000000",
	"b0c1b1c1-0000-0000-0000-000000000001", "deadbeef", "DEADBEEF", "café", "face", "1\u0661",
];
const drawn = Array.from({ length: count }, () => {
	const shape = random(8);
	if (shape < 3) return digits(24, "0123456789abcdef");
	if (shape === 3) return digits(1 + random(40));
	if (shape === 4) return digits(12 + random(8), "01f8");
	if (shape === 5) return "1" + "0".repeat(random(20)) + "8" + "0".repeat(random(30)) + digits(1, "01");
	if (shape === 6) return digits(random(6)) + "-" + digits(random(6));
	return ["", " ", "-", "+", "0x", "-0x"][random(6)] + digits(random(20)) + ["", "z", " 1"][random(3)];
});

const quote = (id) =>
	'"' + [...Buffer.from(id, "utf8")]
		.map((b) => (b >= 0x20 && b < 0x7f && b !== 0x22 && b !== 0x5c && b !== 0x3f
			? String.fromCharCode(b) : "\\" + b.toString(8).padStart(3, "0")))
		.join("") + '"';

console.log(`/* Made by node ${process.version}: tools/js-hex-mod-vectors.mjs ${count} */`);
for (const id of [...picked, ...drawn])
	for (const n of [10, [1, 2, 3, 7, 16, 97, 1000, 2147483647][random(8)]])
		console.log(`{${quote(id)}, ${n}, "${parseInt(id, 16) % n}"},`);
