"""Invented names: none of them is meant to be found on a map."""

STREETS: tuple[tuple[str, str], ...] = (
    ("云渡街道", "Yundu"),
    ("柳岸街道", "Liu'an"),
    ("石汀街道", "Shiting"),
    ("桑陌街道", "Sangmo"),
    ("清漪街道", "Qingyi"),
    ("竹港街道", "Zhugang"),
    ("荷风街道", "Hefeng"),
    ("东篱街道", "Dongli"),
    ("南汀街道", "Nanting"),
    ("霞汀街道", "Xiating"),
    ("稻香街道", "Daoxiang"),
    ("梅屿街道", "Meiyu"),
    ("望舟街道", "Wangzhou"),
    ("澄波街道", "Chengbo"),
    ("杏荫街道", "Xingyin"),
    ("烟渚街道", "Yanzhu"),
    ("鹤汀街道", "Heting"),
    ("听潮街道", "Tingchao"),
)
BRIDGES: tuple[tuple[str, str], ...] = (
    ("望舟桥", "Wangzhou Bridge"),
    ("拱月桥", "Gongyue Bridge"),
    ("听雨桥", "Tingyu Bridge"),
    ("归帆桥", "Guifan Bridge"),
    ("采菱桥", "Cailing Bridge"),
    ("鹤影桥", "Heying Bridge"),
    ("桑陌桥", "Sangmo Bridge"),
    ("荷风桥", "Hefeng Bridge"),
    ("明漪桥", "Mingyi Bridge"),
    ("晴岚桥", "Qinglan Bridge"),
    ("石汀桥", "Shiting Bridge"),
    ("云渡桥", "Yundu Bridge"),
)
STATIONS: tuple[tuple[str, str], ...] = (
    ("竹港中转站", "Zhugang transfer station"),
    ("杏荫中转站", "Xingyin transfer station"),
    ("云渡中转站", "Yundu transfer station"),
    ("听潮中转站", "Tingchao transfer station"),
)
EAST_WEST_ROADS: tuple[tuple[str, str], ...] = (
    ("听潮路", "Tingchao Road"),
    ("荷风路", "Hefeng Road"),
    ("望舟路", "Wangzhou Road"),
    ("桑陌路", "Sangmo Road"),
    ("稻香路", "Daoxiang Road"),
    ("柳岸路", "Liu'an Road"),
)
NORTH_SOUTH_ROADS: tuple[tuple[str, str], ...] = (
    ("竹港街", "Zhugang Street"),
    ("云渡街", "Yundu Street"),
    ("清漪街", "Qingyi Street"),
    ("东篱街", "Dongli Street"),
    ("鹤汀街", "Heting Street"),
    ("杏荫街", "Xingyin Street"),
)
HELIPAD = ("市立医院停机坪", "City hospital helipad")
RING_ROAD = ("环城路", "Ring Road")
CANAL = ("漪水河", "Yishui Canal")
LAKE = ("澄波湖", "Chengbo Lake")
PARKS: tuple[tuple[str, str], ...] = (
    ("桑荫公园", "Sangyin Park"),
    ("听雨公园", "Tingyu Park"),
    ("鹤汀湿地", "Heting Wetland"),
)

# key, zh, en, what they are called for
UNITS: tuple[tuple[str, str, str, str], ...] = (
    ("unit-gas-1", "燃气抢修一队", "Gas rescue team 1", "gas"),
    ("unit-gas-2", "燃气抢修二队", "Gas rescue team 2", "gas"),
    ("unit-light-1", "路灯维护一所", "Lighting depot 1", "lighting"),
    ("unit-light-2", "路灯维护二所", "Lighting depot 2", "lighting"),
    ("unit-bridge", "治超大队", "Overload control brigade", "bridges"),
    ("unit-refuse", "环卫中心", "Refuse collection centre", "refuse"),
    ("unit-air", "低空巡查中心", "Drone patrol centre", "drones"),
    ("unit-network", "物联网运维组", "Device network team", "gateways"),
)
