"""An edition becomes a letter, and a letter the bytes for one subscriber.

`fragment` makes a post's HTML fit for mail (with `markup`, `lists`, `pictures`, `tables`, `direction`), `render` fills
the template, `inline` writes its styles onto the elements, `text` is the plain part (with `lines`), `mime` joins both
under headers and cuts the message at its slots, `digest` is the whole way. `lint` looks at a finished letter once more.
`links` makes and reads the signed tokens, `stamp` fills the slots: it alone runs once for each subscriber, and imports
nothing heavy. `headers`, `quoted` and `based` write what RFC 5322 and RFC 2045 ask for; `marks` hold a subscriber's
place until a letter is cut; `words` are the phrases of the letter, `look` its colours and faces. This room reads no
file, no clock and no network, and knows no subscriber by itself.
"""
