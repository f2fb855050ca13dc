/** A job of a worker pool that takes its time. */
module.exports = () => new Promise((done) => setTimeout(done, 4000));
