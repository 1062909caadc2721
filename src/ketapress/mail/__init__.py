"""An Edition to a MessageTemplate, and a MessageTemplate to the message of one subscriber.

`digest` runs the whole pipeline: `render` fills the templates (`body` converts posts to mail HTML and plain text, `theme`
has colors and fonts), `css_inline` inlines the styles, `mime` builds the message and splits it at its merge fields.
`personalize` fills the merge fields; it runs once for each subscriber and imports nothing heavy. `tokens` signs and
verifies the links in mail, `lint` checks a finished message. Nothing here reads a file, a clock or the network.
"""
