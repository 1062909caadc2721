"""The door that stays open: ticks, and what a tick does. It decides nothing that a command would not decide.

`run` keeps the parts of one publication going; each part is work that is done again and again (`publishing`, `sending`,
`announcing` by way of `hub`) or that lasts (`opening` the web door, `watching` the folder). `ticks` says when, `kept`
begins again what crashed, `settled` and `clockwatch` say what is to be waited for, `ground` is what the parts share,
`troubles` and `measures` are what people and machines are told.
"""
