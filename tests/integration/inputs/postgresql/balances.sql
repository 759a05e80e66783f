-- pgbench chooses its accounts at random, so the sums differ, but they must agree.
SELECT count(*), sum(delta) = (SELECT sum(abalance) FROM pgbench_accounts)
             AND sum(delta) = (SELECT sum(bbalance) FROM pgbench_branches)
             AND sum(delta) = (SELECT sum(tbalance) FROM pgbench_tellers) AS agree
FROM pgbench_history;
