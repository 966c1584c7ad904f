// Loaded into Azurite before anything else: its clock runs REINSTATE_CLOCK="EPOCH-MS SPEED" from the epoch on, as that of the
// processes does that race against each other (claims_azurite.c).
const [epoch, speed] = process.env.REINSTATE_CLOCK.split(' ').map(Number);
const Own = Date;
const now = () => Math.floor(epoch + (Own.now() - epoch) * speed);

globalThis.Date = class extends Own {
    constructor(...words) {
        super(...(words.length ? words : [now()]));
    }
    static now() {
        return now();
    }
};
