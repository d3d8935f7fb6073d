// Azurite keeps what it knows in LokiJS, in a way that gets slower with all that is stored. Two
// shortcuts, which change no answer, let the emulator keep up with minutes of load:
//
// - A query uses one index, that of its first key, and Azurite's first keys are the account and the
//   partition: each look-up goes through all blobs of the account. Here the key with the fewest matches
//   comes first. All keys of a query must match, in any order.
// - Documents that are removed as a list, be it empty or of one, have all indices sorted anew. Here a few
//   are removed one by one, which mends the indices in place.
'use strict';

const { Collection, Resultset } = require('lokijs');

// From so many on, sorting once is cheaper.
const MANY = 64;

const { find } = Resultset.prototype;
const { removeBatch, removeBatchByPositions } = Collection.prototype;

Resultset.prototype.find = function (query, firstOnly) {
  return find.call(this, this.filterInitialized ? query : narrowFirst(this.collection, query), firstOnly);
};

Collection.prototype.removeBatch = function (batch) {
  return removeFew(this, batch) || removeBatch.call(this, batch);
};

Collection.prototype.removeBatchByPositions = function (positions) {
  return (
    removeFew(this, positions.map((position) => this.data[position])) ||
    removeBatchByPositions.call(this, positions)
  );
};

function narrowFirst(collection, query) {
  const keys = query && typeof query === 'object' ? Object.keys(query) : [];
  if (keys.length < 2 || collection.data.length === 0) {
    return query;
  }
  let [best, fewest] = [undefined, Infinity];
  for (const key of keys) {
    if (!collection.binaryIndices[key] || !['string', 'number'].includes(typeof query[key])) {
      continue;
    }
    collection.ensureIndex(key);
    const [first, last] = collection.calculateRange('$eq', key, query[key]);
    if (last - first < fewest) {
      [best, fewest] = [key, last - first];
    }
  }
  return best === undefined ? query : { [best]: query[best], ...query };
}

function removeFew(collection, documents) {
  if (documents.length >= MANY) {
    return false;
  }
  documents.forEach((document) => collection.remove(document));
  return true;
}
