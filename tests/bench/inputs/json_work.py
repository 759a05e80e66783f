"""JSON as a service handles it: parsed, changed, written, many objects alive at once."""

import hashlib
import json

DOCUMENTS, ROUNDS = 400, 40


def numbers(seed):
    state = seed
    while True:
        state = (state * 1103515245 + 12345) % (1 << 31)
        yield state >> 12


def document(number, source):
    return {
        "id": number,
        "name": f"customer {next(source) % 5000}",
        "tags": [f"tag{next(source) % 90}" for _ in range(number % 9)],
        "orders": [{"sku": f"{next(source):x}", "count": next(source) % 12,
                    "price": next(source) % 9999 / 100, "note": "n" * (next(source) % 80)}
                   for _ in range(number % 13)],
    }


def main():
    source = numbers(11)
    texts = [json.dumps(document(number, source)) for number in range(DOCUMENTS)]
    kept, digest = [], hashlib.sha256()
    for turn in range(ROUNDS):
        whole = [json.loads(text) for text in texts]
        for entry in whole:
            entry["turn"] = turn
            entry["total"] = sum(order["count"] * order["price"] for order in entry["orders"])
        kept.append(whole)
        del kept[:-3]
        digest.update(json.dumps(whole, sort_keys=True, indent=1).encode())
    print(digest.hexdigest())
    print("end of workload")


main()
