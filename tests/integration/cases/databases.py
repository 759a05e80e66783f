"""sqlite3 with one large script, and a redis server under load and then with known contents."""

from harness.case import Case

BENCHMARK = ["-q", "-n", "4000", "-c", "20", "-P", "8", "-r", "2000", "-d", "300",
             "-t", "set,get,incr,lpush,rpush,lpop,sadd,hset,zadd,mset,lrange_100"]
REDIS_CONFIGURATION = """\
port 0
unixsocket {folder}/redis.sock
dir {folder}
logfile {folder}/redis.log
save ""
enable-debug-command local
io-threads 2
maxmemory 200mb
maxclients 100
"""


def run_sqlite(session):
    script = session.copy_input("sqlite/workload.sql")
    finished = session.run(["sqlite3", "-batch", "-bail", "workload.db"], stdin=script)
    session.require("end of workload" in finished.stdout, "the script did not reach its end")
    session.require("\nok\n" in finished.stdout, "the integrity check does not say ok")


def redis_commands():
    """About 20,000 commands whose outcome does not depend on the clock or on chance."""
    for number in range(4000):
        yield f"SET string:{number} {'v' * (number % 700)}{number}"
        yield f"HSET hash:{number % 300} field{number} {number * number}"
        yield f"ZADD scores:{number % 7} {number * 37 % 1000} member{number}"
        yield f"RPUSH list:{number % 50} {'item' * (number % 40)}x"
        yield f"SADD set:{number % 20} {number * 11 % 997}"
        if number % 3 == 0:
            yield f"DEL string:{number // 2}"
        if number % 10 == 0:
            yield f"APPEND string:{number} {'more' * 100}"


def without_rates(text):
    """redis-benchmark reports speeds only; that each test ended with a figure is what counts."""
    lines = text.replace("\r", "\n").splitlines()
    return "\n".join(line.partition(":")[0] for line in lines if "requests per second" in line)


def run_redis(session):
    (session.folder / "redis.conf").write_text(REDIS_CONFIGURATION.format(folder=session.folder))
    socket = session.folder / "redis.sock"
    (session.folder / "commands.txt").write_text("\n".join(redis_commands()) + "\n")
    client = ["redis-cli", "-s", str(socket)]
    with session.server(["redis-server", "redis.conf"], socket.exists) as server:
        load_redis(session, socket, client)
        fill_redis(session, client)
        server.check_preload()


def load_redis(session, socket, client):
    finished = session.run(["redis-benchmark", "-s", str(socket), *BENCHMARK], clean=without_rates)
    rates = without_rates(finished.stdout).splitlines()
    session.require(len(rates) >= 11, f"redis-benchmark finished {len(rates)} tests of 11")
    session.require("rror" not in finished.stderr, f"redis-benchmark: {finished.stderr[-500:]}")
    session.run([*client, "FLUSHALL"])
    session.run([*client, "MEMORY", "PURGE"])


def fill_redis(session, client):
    replies = session.run([*client], stdin="commands.txt").stdout
    session.require("ERR" not in replies, "redis refused a command")
    ask = [
        ["DEBUG", "DIGEST"], ["INFO", "keyspace"], ["DBSIZE"],
        ["SORT", "list:3", "ALPHA", "LIMIT", "0", "5"], ["ZRANGE", "scores:3", "0", "20"],
        ["EVAL", "local n = 0 for i = 1, 200 do n = n + #redis.call('KEYS', 'hash:*') end return n",
         "0"],
        ["SAVE"], ["DEBUG", "RELOAD"], ["DEBUG", "DIGEST"], ["INFO", "keyspace"],
    ]
    for question in ask:
        session.run([*client, *question])


CASES = [
    Case("sqlite3", "joins, windows, JSON, full text, triggers, VACUUM, integrity check",
         run_sqlite, ("sqlite3",)),
    Case("redis", "redis-benchmark on a unix socket, then a known data set, saved and reloaded",
         run_redis, ("redis-server", "redis-cli", "redis-benchmark")),
]
