// Deterministic: numbers come from a generator of our own, and workers are listed by their index.
'use strict';

const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto');
const fs = require('fs');
const zlib = require('zlib');
const { Readable, Transform, pipeline } = require('stream');

function numbers(seed) {
    let state = seed >>> 0;
    return (limit) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return (state >>> 8) % limit;
    };
}

function digest(data) {
    return crypto.createHash('sha256').update(data).digest('hex').slice(0, 16);
}

function objects(count, next) {
    return Array.from({ length: count }, (_, id) => ({
        id, name: `item ${next(1000)}`, tags: Array.from({ length: next(8) }, () => `t${next(50)}`),
        nested: { price: next(10000) / 8, text: 'x'.repeat(next(60)) },
    }));
}

function throughJson(next) {
    let text = JSON.stringify(objects(4000, next));
    for (let round = 0; round < 5; round++)
        text = JSON.stringify(JSON.parse(text), null, round % 2);
    return digest(text);
}

function throughBuffers(next) {
    const parts = [];
    for (let index = 0; index < 3000; index++) {
        const part = Buffer.alloc(1 + next(20000), index % 256);
        part.writeUInt8(next(256), next(part.length));
        if (index % 3) parts.push(part.subarray(0, 1 + next(part.length)));
        if (parts.length > 100) parts.splice(next(50), 40);
    }
    return digest(Buffer.concat(parts));
}

function throughZlib(next) {
    let total = 0;
    for (let index = 0; index < 40; index++) {
        const plain = Buffer.from(`line ${next(100)}\n`.repeat(500 + next(3000)));
        const packed = index % 2 ? zlib.gzipSync(plain) : zlib.brotliCompressSync(plain, {
            params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } });
        const back = index % 2 ? zlib.gunzipSync(packed) : zlib.brotliDecompressSync(packed);
        if (!back.equals(plain)) throw new Error('zlib changed the text');
        total += packed.length;
    }
    return total;
}

function throughMaps(next) {
    const map = new Map();
    for (let index = 0; index < 100000; index++) {
        map.set(`key${next(20000)}`, { index, list: [index, next(10)] });
        if (index % 4 === 0) map.delete(`key${next(20000)}`);
    }
    return digest([...map].map(([key, value]) => key + value.list).join());
}

function throughStreams(next, done) {
    const chunks = Array.from({ length: 400 }, () => Buffer.alloc(1 + next(9000), next(256)));
    const hash = crypto.createHash('sha512');
    const counter = new Transform({
        transform(chunk, _, pass) { hash.update(chunk); pass(null, chunk); },
    });
    pipeline(Readable.from(chunks), zlib.createGzip(), zlib.createGunzip(), counter,
        fs.createWriteStream('streamed'), (error) => {
            if (error) throw error;
            done(`${fs.statSync('streamed').size} ${hash.digest('hex').slice(0, 16)}`);
        });
}

function work(seed) {
    const next = numbers(seed);
    return [throughJson, throughBuffers, throughZlib, throughMaps]
        .map((part) => part(next)).join(' ');
}

function startWorker(index) {
    return new Promise((resolve, reject) => {
        const worker = new Worker(__filename, { workerData: index + 1 });
        let answer;
        worker.on('message', (message) => { answer = message; });
        worker.on('error', reject);
        worker.on('exit', (code) => (code ? reject(new Error(`exit ${code}`)) : resolve(answer)));
    });
}

async function main() {
    console.log(`main ${work(99)}`);
    const answers = await Promise.all([0, 1, 2, 3].map(startWorker));
    answers.forEach((answer, index) =>
        console.log(`worker ${index} ${answer.text} ${answer.bytes}`));
    throughStreams(numbers(5), (text) => {
        console.log(`streams ${text}`);
        console.log('end of workload');
    });
}

if (isMainThread) {
    main();
} else {
    const bytes = new Uint8Array(50000).fill(workerData);
    parentPort.postMessage({ text: work(workerData), bytes: bytes.length }, [bytes.buffer]);
}
