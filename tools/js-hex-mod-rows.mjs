// For tests/system_realtime.bats: what this JavaScript engine makes of `parseInt(id, 16) % 10` for ids of every
// shape. Rows for `ccache warm --from` go to ROWS, the keys that they must become to KEYS, and rows whose id is no
// number for parseInt to NAN.
//
//   node tools/js-hex-mod-rows.mjs COUNT ROWS KEYS NAN
import { writeFileSync } from "node:fs";

const [count, rowsFile, keysFile, nanFile] = process.argv.slice(2);
let seed = 7;
const random = (n) => {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 4294967296) * n);
};
const draw = (n, alphabet) => Array.from({ length: n }, () => alphabet[random(alphabet.length)]).join("");
const HEX = "0123456789abcdefABCDEF";

const id = () => {
	switch (random(8)) {
		case 0: case 1: return draw(24, "0123456789abcdef"); // ObjectIds
		case 2: case 3: return draw(1 + random(40), HEX);
		case 4: return draw(1, "123f") + draw(12 + random(8), "01f8"); // about 2^53, where rounding begins
		case 5: return ["-", "+", "0x", "0X", "-0x", " ", "\t", "\u00a0"][random(8)] + draw(1 + random(20), HEX);
		case 6: return draw(random(6), HEX) + ["-", "g", "_", ".", " ", "é", "x"][random(7)] + draw(random(12), HEX);
		default: return draw(1 + random(12), "ghijklmnopqrstuvwxyz_-. ZXY09");
	}
};

const rows = [], keys = [], nan = [];
for (let i = 0; i < Number(count); i++) {
	const campaignId = id();
	const shard = parseInt(campaignId, 16) % 10;
	const row = JSON.stringify({ ns: "campaign-shard", vars: { campaignId }, value: 1 });
	if (Number.isNaN(shard)) {
		nan.push(row);
	} else {
		rows.push(row);
		keys.push(`campaign:shard${shard}:${campaignId}`);
	}
}
writeFileSync(rowsFile, rows.join("\n") + "\n");
writeFileSync(keysFile, keys.join("\n") + "\n");
writeFileSync(nanFile, nan.join("\n") + "\n");
