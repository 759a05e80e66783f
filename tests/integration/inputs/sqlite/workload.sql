-- Every value follows from its row number; random() and the clock are not used.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA cache_size = 400;

CREATE TABLE item(id INTEGER PRIMARY KEY, class INTEGER, name TEXT, body BLOB, price REAL);
WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 60000)
INSERT INTO item
  SELECT n, n * 7919 % 211, printf('item %05d', n * 104729 % 60000),
         zeroblob(n % 97), n * 31 % 1009 / 8.0 FROM row;
CREATE INDEX item_class ON item(class, price);
CREATE INDEX item_name ON item(name COLLATE NOCASE);
ANALYZE;

SELECT 'grouped', count(*), sum(total), max(label) FROM
  (SELECT class, sum(price) AS total, group_concat(name, '/') AS label FROM item
   WHERE id % 3 = 0 GROUP BY class HAVING count(*) > 5);
SELECT 'joined', count(*), sum(a.price * b.price) FROM item a
  JOIN item b ON a.class = b.class AND b.id = a.id + 211 WHERE a.id < 20000;
SELECT 'ranked', sum(place), sum(running) FROM
  (SELECT rank() OVER (PARTITION BY class ORDER BY price, id) AS place,
          sum(price) OVER (ORDER BY id ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS running
   FROM item);

CREATE TABLE document(id INTEGER PRIMARY KEY, value TEXT);
INSERT INTO document
  SELECT id, json_object('id', id, 'tags', json_array(class, name), 'deep',
                         json_object('price', price, 'text', hex(body))) FROM item WHERE id <= 8000;
SELECT 'json', count(*), sum(json_extract(value, '$.deep.price')),
       sum(length(json_set(value, '$.tags[#]', 'more'))) FROM document;
SELECT 'each', count(*), min(j.value), max(j.value)
  FROM document, json_each(document.value, '$.tags') AS j;

CREATE VIRTUAL TABLE word USING fts5(text);
INSERT INTO word(rowid, text)
  SELECT id, printf('alpha%d beta%d gamma%d %s', id % 13, id % 101, id % 1009, name)
  FROM item WHERE id <= 20000;
SELECT 'found', count(*), sum(rowid) FROM word WHERE word MATCH 'alpha3 AND beta7* NOT gamma1';
INSERT INTO word(word) VALUES ('optimize');

CREATE TRIGGER keep_count AFTER UPDATE OF price ON item WHEN new.price > 100
  BEGIN UPDATE document SET value = json_set(value, '$.changed', new.price) WHERE id = new.id; END;
BEGIN;
UPDATE item SET price = price * 1.5 WHERE id % 5 = 0;
SAVEPOINT half;
DELETE FROM item WHERE class < 100;
ROLLBACK TO half;
UPDATE item SET body = CAST(printf('%.*c', 3000, 'x') AS BLOB) WHERE id % 50 = 0;
COMMIT;
DELETE FROM item WHERE id % 4 = 1;
SELECT 'changed', count(*), sum(length(value)) FROM document WHERE value LIKE '%changed%';
SELECT 'left', count(*), sum(price), sum(length(body)) FROM item;
VACUUM;
PRAGMA integrity_check;
SELECT name FROM item WHERE name GLOB '*999*' ORDER BY name COLLATE NOCASE DESC LIMIT 10;
SELECT 'end of workload';
